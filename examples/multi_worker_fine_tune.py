"""Fine-tunes a model on two workers, each a process of its own on this machine, with MultiWorkerMirroredStrategy.

Runs on TensorFlow 2.4 and newer, with any Keras, for the training loop is one's own:

    python examples/multi_worker_fine_tune.py

Started like that it starts the workers, and tells each by ``TF_CONFIG`` who it is; on several machines whatever starts
your processes does that. Each worker loads the model inside the scope of the strategy, takes its half of each batch,
and saves a checkpoint after each epoch, so that it goes on from there when all are started again with the same
directory. It fails when the workers end with other weights than each other, the loss does not fall, or a moving
statistic stays what it was.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile

import numpy as np

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models", "reusable")
FEATURES = 4  # that the model has for a row
WORKERS = 2
BATCH = 32
EPOCHS = 10
STEPS = 4


def start_workers(directory):
    """Starts the workers, and waits for them; gives what ``sys.exit`` takes."""
    cluster = {"worker": find_addresses(WORKERS)}
    processes = []
    for index in range(WORKERS):
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        command = [sys.executable, os.path.abspath(__file__), directory]
        processes.append(subprocess.Popen(command, env=dict(os.environ, TF_CONFIG=config)))
    statuses = [process.wait() for process in processes]
    return 1 if any(statuses) else compare_weights(directory)


def find_addresses(count):
    """Addresses on this machine that nobody listens at."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    addresses = ["127.0.0.1:{}".format(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return addresses


def compare_weights(directory):
    """Whether all workers ended with the same weights."""
    weights = [np.load(os.path.join(directory, "worker{}.npy".format(index))) for index in range(WORKERS)]
    same = all(np.array_equal(weights[0], other) for other in weights[1:])
    print("the workers hold {} weights".format("equal" if same else "other"))
    return 0 if same else "does not hold: the workers end with the same weights"


def make_data(rows):
    """Rows of numbers, and a number for each that the pretrained model does not know of."""
    random = np.random.RandomState(0)
    x = random.uniform(-1, 1, (rows, 8)).astype(np.float32)
    return x, x.sum(axis=1, keepdims=True)


def work(directory):
    """What each worker does."""
    import tensorflow as tf

    import unihub

    # First of all: it has to be made before TensorFlow does anything else.
    if hasattr(tf.distribute, "MultiWorkerMirroredStrategy"):
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    else:
        strategy = tf.distribute.experimental.MultiWorkerMirroredStrategy()
    with strategy.scope():
        model = unihub.load(MODEL, trainable=True, api="load")
        head = tf.Variable(tf.fill([FEATURES, 1], 0.1))
        optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.1)
        epoch = tf.Variable(0, trainable=False, dtype=tf.int64)
    weights = list(model.trainable_variables) + [head]

    # In Keras 2 model.fit() does all of what follows.
    def train_replica(x, y):
        with tf.GradientTape() as tape:
            errors = tf.square(tf.matmul(model(x, training=True), head) - y)
            # A part of the batch's mean; apply_gradients() adds the parts of all replicas.
            loss = tf.reduce_sum(errors) / BATCH
            l2 = tf.add_n([each() for each in model.regularization_losses]) / strategy.num_replicas_in_sync
            total = loss + l2
        optimizer.apply_gradients(zip(tape.gradient(total, weights), weights))
        return loss

    @tf.function
    def train_step(batch):
        return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(train_replica, args=batch), axis=None)

    @tf.function
    def find_statistics():
        # Each replica has its own; what is read is their mean, and all workers take part in that.
        return [tf.identity(variable) for variable in model.variables if not variable.trainable]

    x, y = make_data(BATCH * STEPS)
    batches = strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH))
    index = strategy.cluster_resolver.task_id
    checkpoint = tf.train.Checkpoint(model=model.native, head=head, optimizer=optimizer, epoch=epoch)
    # All workers write, for reading the statistics takes all of them; only the first one's files are read again.
    folders = [os.path.join(directory, "checkpoints{}".format(each)) for each in range(WORKERS)]
    checkpoint.restore(tf.train.latest_checkpoint(folders[0]))
    manager = tf.train.CheckpointManager(checkpoint, folders[index], max_to_keep=1)
    before = [value.numpy() for value in find_statistics()]
    losses = []
    while int(epoch.numpy()) < EPOCHS:
        losses.append(float(np.mean([train_step(batch).numpy() for batch in batches])))
        epoch.assign_add(1)
        manager.save()
    moved = max(float(np.abs(value.numpy() - old).max()) for value, old in zip(find_statistics(), before))
    np.save(os.path.join(directory, "worker{}.npy".format(index)), np.concatenate([w.numpy().ravel() for w in weights]))
    if index == 0:
        print(model.plan)
        print("loss {:.4f} -> {:.4f} on {} workers".format(losses[0], losses[-1], strategy.num_replicas_in_sync))
        print("statistics moved by {:.4f}".format(moved))
    wrong = []
    if not losses[-1] < 0.5 * losses[0]:
        wrong.append("the loss falls")
    if not moved > 1e-4:
        wrong.append("the moving statistics move")
    return "does not hold: " + ", ".join(wrong) if wrong else 0


def main():
    """Starts the workers; in a worker, works."""
    if len(sys.argv) > 1:
        return work(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        return start_workers(directory)


if __name__ == "__main__":
    sys.exit(main())
