"""Programs that train under ``tf.distribute``, each in a process of its own, started by a process that waits for orders.

    python tests/support/distribute_programs.py

Reads a line of JSON for each order: ``{"start": "train", "options": {...}, "environment": {...}, "log": path}`` gives the
process id, ``{"wait": pid, "seconds": 60}`` its exit status or null, ``{"kill": pid}`` ends it as a crash would. The
processes are forks of one that has TensorFlow imported, which takes longest; nothing of it runs before.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback

import numpy as np
import tensorflow as tf

import unihub

BATCH = 12
RATE = 0.05
FAILED = 3


def make_strategy(kind):
    """A strategy by a word."""
    if kind == "mirrored":
        use_two_cpus()
        return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    if kind == "one device":
        return tf.distribute.OneDeviceStrategy("CPU:0")
    if kind == "central":
        use_two_cpus()
        return tf.distribute.experimental.CentralStorageStrategy(["CPU:0", "CPU:1"], "CPU:0")
    if kind == "workers":
        names = (
            (tf.distribute, "MultiWorkerMirroredStrategy"),
            (tf.distribute.experimental, "MultiWorkerMirroredStrategy"),
        )
        return next(getattr(*name)() for name in names if hasattr(*name))
    return tf.distribute.get_strategy()


def use_two_cpus():
    """Two logical CPUs, each of which runs a replica."""
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


def make_batch(step, shape, dtype, width):
    """The global batch of a step: inputs, and what the model's outputs are to be."""
    random = np.random.RandomState(step)
    return random.uniform(-1, 1, [BATCH] + shape).astype(dtype), random.uniform(-1, 1, [BATCH, width]).astype(dtype)


def describe(model):
    """The shape and dtype of an input, and how many numbers there are for it; of one without a signature it is known."""
    for signature in model.plan.meta_graph.signatures:
        (tensor,) = signature.inputs
        return list(tensor.shape[1:]), tensor.dtype, signature.outputs[0].shape[-1]
    return [8], "float32", 4


class Training:
    """A model that is trained in the scope of a strategy, by a loop of the user's own."""

    def __init__(self, path, strategy, training, replicas=None):
        self.strategy = strategy
        self.training = training
        self.replicas = replicas or strategy.num_replicas_in_sync
        with strategy.scope():
            self.model = unihub.load(path, trainable=True, api="load")
            # Of TensorFlow itself, so that no Keras has a part in it.
            self.optimizer = self._optimizer()
            self.step = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._kind = describe(self.model)
        self._train = tf.function(self._run)

    def _optimizer(self):
        # In a strategy TensorFlow 2.4 cannot use the momentum that it restored.
        if tf.__version__.startswith("2.4."):
            return tf.compat.v1.train.GradientDescentOptimizer(RATE)
        return tf.compat.v1.train.MomentumOptimizer(RATE, 0.9)

    def gradients(self, x, y):
        """The gradients of a part of the batch, as a part of those of the whole."""
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(self.model(x, training=self.training) - y)) / BATCH
        return tape.gradient(loss, self.model.trainable_variables)

    def train_replica(self, x, y):
        """What each replica does."""
        self.optimizer.apply_gradients(zip(self.gradients(x, y), self.model.trainable_variables))

    def _run(self, x, y):
        self.strategy.run(self.train_replica, args=(x, y))

    def train_step(self):
        """One step of all replicas, each with its part of the batch."""
        x, y = make_batch(int(self.step.numpy()), *self._kind)
        size = BATCH // self.replicas

        def part_of(values):
            def take(context):
                return tf.constant(values[context.replica_id_in_sync_group * size :][:size])

            return self.strategy.experimental_distribute_values_from_function(take)

        self._train(part_of(x), part_of(y))
        self.step.assign_add(1)

    def simulate_step(self):
        """The same in one process without a strategy: by definition a replica sees only its part of the batch.

        Gradients are sums over the replicas, moving statistics means over them.
        """
        x, y = make_batch(int(self.step.numpy()), *self._kind)
        size = BATCH // self.replicas
        statistics = [variable for variable in self.model.variables if not variable.trainable]
        before = [variable.numpy() for variable in statistics]
        gradients, after = [], []
        for replica in range(self.replicas):
            for variable, value in zip(statistics, before):
                variable.assign(value)
            part = slice(replica * size, (replica + 1) * size)
            gradients.append(self.gradients(tf.constant(x[part]), tf.constant(y[part])))
            after.append([variable.numpy() for variable in statistics])
        for variable, values in zip(statistics, zip(*after)):
            variable.assign(np.mean(values, axis=0))
        sums = [tf.add_n(parts) for parts in zip(*gradients)]
        self.optimizer.apply_gradients(zip(sums, self.model.trainable_variables))
        self.step.assign_add(1)

    def write(self, path, **more):
        """Writes the values of all variables."""
        values = {"v{}".format(index): read(variable) for index, variable in enumerate(self.model.variables)}
        np.savez(path, **values, **more)


def read(variable):
    """The value of a variable, the mean of its replicas' where each has its own."""
    return tf.identity(variable).numpy()


def train(path, out, kind, steps, training=False, replicas=None, checkpoints=None, dies_at=None):
    """Trains, and writes the variables; with ``checkpoints`` after each step, and it goes on from the last one there."""
    one = Training(path, make_strategy(kind), training, replicas)
    began = 0
    if checkpoints is not None:
        checkpoint = tf.train.Checkpoint(model=one.model.native, optimizer=one.optimizer, step=one.step)
        chief = tf.train.CheckpointManager(checkpoint, checkpoints, max_to_keep=2)
        # All workers take part in reading the statistics, and one place can be written by one only.
        own = chief if is_chief() else tf.train.CheckpointManager(checkpoint, out + ".own", max_to_keep=1)
        checkpoint.restore(chief.latest_checkpoint)
        began = int(one.step.numpy())
    try:
        while int(one.step.numpy()) < steps:
            one.simulate_step() if kind == "one" else one.train_step()
            if checkpoints is not None:
                own.save(checkpoint_number=int(one.step.numpy()))
            if dies_at == int(one.step.numpy()):
                os.kill(os.getpid(), signal.SIGKILL)
    except tf.errors.OpError as error:
        print("lost a worker: {}".format(type(error).__name__), flush=True)
        os._exit(FAILED)
    one.write(out, began=began)


def is_chief():
    """Whether this is the first worker."""
    return json.loads(os.environ.get("TF_CONFIG", "{}")).get("task", {"index": 0})["index"] == 0


def fit(path, out, kind, steps, floatx="float32"):
    """Trains with Keras, the data as ``fit`` shares them out."""
    if floatx != "float32":
        tf.keras.backend.set_floatx(floatx)
    strategy = make_strategy(kind)
    with strategy.scope():
        layer = unihub.load(path, trainable=True, api="keras")
        kind_of_data = describe(layer)
        inputs = tf.keras.Input(kind_of_data[0], dtype=kind_of_data[1])
        # Frozen statistics: a replica's own would differ from those of the whole batch.
        model = tf.keras.Model(inputs, layer(inputs, training=False))
        loss = tf.keras.losses.MeanSquaredError()
        model.compile(tf.keras.optimizers.SGD(RATE, momentum=0.9), loss)
    batches = [make_batch(step, *kind_of_data) for step in range(steps)]
    data = tf.data.Dataset.from_tensor_slices(tuple(np.concatenate(arrays) for arrays in zip(*batches))).batch(BATCH)
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    model.fit(data.with_options(options), epochs=1, shuffle=False, verbose=0)
    np.savez(out, **{"v{}".format(index): value for index, value in enumerate(model.get_weights())})


def fit_served(path, out, steps):
    """Trains with Keras through workers that run steps as they come."""
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    strategy = tf.distribute.experimental.ParameterServerStrategy(resolver)
    with strategy.scope():
        layer = unihub.load(path, trainable=True, api="keras")
        kind_of_data = describe(layer)
        inputs = tf.keras.Input(kind_of_data[0], dtype=kind_of_data[1])
        model = tf.keras.Model(inputs, layer(inputs))
        model.compile(tf.keras.optimizers.SGD(RATE), tf.keras.losses.MeanSquaredError())
    data = tf.data.Dataset.from_tensors(make_batch(0, *kind_of_data)).repeat()
    before = [read(variable) for variable in layer.variables]
    losses = model.fit(data, epochs=2, steps_per_epoch=steps, verbose=0).history["loss"]
    moved = [float(np.abs(read(variable) - old).max()) for variable, old in zip(layer.variables, before)]
    places = [tf.DeviceSpec.from_string(variable.device).job for variable in layer.variables]
    np.savez(out, losses=losses, moved=moved, places=places)


def look(out, converted, data, folder):
    """What becomes of models of each kind in the scope of two replicas, and outside of it; as JSON."""
    strategy = make_strategy("mirrored")
    found = {"variables": {}, "apart": {}, "errors": {}, "outputs": {}}
    x = tf.constant(np.random.RandomState(0).uniform(-1, 1, [4, 8]), tf.float32)

    def load_here(path, **options):
        with strategy.scope():
            return unihub.load(path, **options)

    def refused(name, function):
        try:
            function()
        except unihub.errors.UnihubError as error:
            found["errors"][name] = "{}: {}".format(type(error).__name__, error.what)

    def call_in_replicas(model, values, **options):
        run = tf.function(lambda values: strategy.run(lambda part: model(part, **options), args=(values,)))
        return [part.numpy() for part in strategy.experimental_local_results(run(values))]

    for name, path, options in (
        ("converted", converted, {"api": "load"}),
        ("bare", data + "/saved_model/bare", {"api": "load"}),
        ("layer", data + "/saved_model/reusable", {"api": "keras"}),
        ("part", data + "/keras2", {"api": "keras"}),
    ):
        model = load_here(path, trainable=True, **options)
        variables = [getattr(variable, "_loaded", variable) for variable in model.variables]
        found["variables"][name] = sorted({(type(v).__name__, bool(v.trainable)) for v in variables})
    model = load_here(data + "/saved_model/reusable", trainable=True, api="load")
    for _ in range(3):
        # Each replica has other statistics from here on; what is read is their mean.
        parts = strategy.experimental_distribute_values_from_function(
            lambda context: x * (1 + context.replica_id_in_sync_group)
        )
        call_in_replicas(model, parts, training=True)
    for variable in model.variables:
        first, second = [part.numpy() for part in strategy.experimental_local_results(variable)]
        mean = float(np.abs(read(variable) - (first + second) / 2).max())
        found["apart"][variable.name] = [float(np.abs(first - second).max()), mean]
    for name, path, values in (
        ("text", "/saved_model/text", ["hello", "world"]),
        ("tf1", "/tf1_saved_model/half_plus_two", [[1.0], [2.0]]),
        ("session", "/tf1_saved_model/unliftable", [[1.0], [2.0]]),
        ("signature", "/saved_model/signatures_only", x),
    ):
        options = {"signature": "encode"} if name == "signature" else {}
        values = tf.constant(values)
        alone = unihub.load(data + path, **options)(values).numpy()
        outputs = call_in_replicas(load_here(data + path, **options), values)
        found["outputs"][name] = [float(np.abs(output - alone).max()) for output in outputs]
    outside = unihub.load(data + "/saved_model/reusable", trainable=True, api="load")
    layer = unihub.load(data + "/saved_model/reusable", trainable=True, api="keras")
    frozen = unihub.load(data + "/saved_model/reusable", api="load")
    refused("loop", lambda: call_in_replicas(outside, x, training=True))
    with strategy.scope():
        refused("layer", lambda: layer(x))
        reused = [unihub.load(data + "/saved_model/reusable", reuse=True) for _ in range(2)]
    refused("another", lambda: tf.distribute.OneDeviceStrategy("CPU:0").run(model, args=(x,)))
    found["frozen"] = float(np.abs(call_in_replicas(frozen, x)[1] - frozen(x).numpy()).max())
    found["reused"] = [reused[0] is reused[1], unihub.load(data + "/saved_model/reusable", reuse=True) is reused[0]]
    # A function that each replica runs loads once for all.
    inside = strategy.run(lambda: unihub.load(data + "/saved_model/reusable", trainable=True, api="load"))
    loaded = strategy.experimental_local_results(inside)
    found["inside"] = [len({id(one.native) for one in loaded}), type(loaded[0].variables[0]).__name__]
    if not hasattr(layer, "from_config") or not hasattr(tf.keras, "ops"):
        found["file"] = None
    else:
        found["file"] = self_contained(strategy, data + "/saved_model/reusable", folder, x)
    with open(out, "w") as file:
        json.dump(found, file)


def self_contained(strategy, path, folder, x):
    """A Keras 3 file with the model inside, saved and read in the scope: the types of its variables, and what differs."""
    with strategy.scope():
        layer = unihub.KerasLayer(path, trainable=True, self_contained=True)
        model = tf.keras.Sequential([tf.keras.Input((8,)), layer])
        model.compile("sgd", "mse")
    model.fit(np.ones((8, 8), np.float32), np.ones((8, 4), np.float32), batch_size=8, verbose=0)
    model.save(folder + "/model.keras")
    with strategy.scope():
        again = tf.keras.models.load_model(folder + "/model.keras", safe_mode=False)
    kinds = sorted({type(variable._loaded).__name__ for variable in again.layers[-1].variables})
    again.fit(np.ones((8, 8), np.float32), np.ones((8, 4), np.float32), batch_size=8, verbose=0)
    model = tf.keras.models.load_model(folder + "/model.keras", safe_mode=False)
    with strategy.scope():
        again = tf.keras.models.load_model(folder + "/model.keras", safe_mode=False)
    return kinds, float(np.abs(model(x).numpy() - again(x).numpy()).max())


def serve():
    """A worker, or a parameter server, that does what the coordinator says."""
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    server = tf.distribute.Server(
        resolver.cluster_spec(), job_name=resolver.task_type, task_index=resolver.task_id, protocol="grpc", start=True
    )
    server.join()


def coordinate(path, out, steps, tf1, pause=None):
    """Trains through workers that run steps as they come; waits in the middle for a file to be removed."""
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    strategy = tf.distribute.experimental.ParameterServerStrategy(resolver)
    coordinator = tf.distribute.experimental.coordinator.ClusterCoordinator(strategy)
    with strategy.scope():
        model = unihub.load(path, trainable=True, api="load")
        optimizer = tf.compat.v1.train.GradientDescentOptimizer(RATE)
    x, y = map(tf.constant, make_batch(0, *describe(model)))

    def replica(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    @tf.function
    def step():
        return strategy.run(replica, args=(x, y))

    refusals = []
    outside = unihub.load(path, api="load")
    with strategy.scope():
        for attempt in (lambda: unihub.load(tf1), lambda: unihub.plan(tf1), lambda: outside(x)):
            try:
                attempt()
            except unihub.errors.UnihubError as error:
                refusals.append(type(error).__name__)
    before = [read(variable) for variable in model.variables]
    # Fetched at once: a worker that is lost takes what lies with it along.
    losses = [loss.fetch() for loss in [coordinator.schedule(step) for _ in range(steps // 2)]]
    coordinator.join()
    if pause is not None:
        open(pause, "w").close()
        while os.path.exists(pause):
            time.sleep(0.1)
    losses += [loss.fetch() for loss in [coordinator.schedule(step) for _ in range(steps - steps // 2)]]
    coordinator.join()
    moved = [float(np.abs(read(variable) - old).max()) for variable, old in zip(model.variables, before)]
    places = [tf.DeviceSpec.from_string(variable.device).job for variable in model.variables]
    kinds = sorted({type(variable).__name__ for variable in model.variables})
    np.savez(out, losses=losses, moved=moved, places=places, kinds=kinds, refusals=refusals)


def estimate(path, out, steps, distributed, module=None):
    """Trains in an Estimator, whose ``model_fn`` loads the model in each replica; writes the checkpoint's variables."""
    v1 = tf.compat.v1
    v1.logging.set_verbosity(v1.logging.ERROR)
    x, y = make_batch(0, [8], "float32", 4)

    def model_fn(features, labels, mode):
        training = mode == tf.estimator.ModeKeys.TRAIN
        model = unihub.load(path, trainable=training, api="load")
        outputs = model(features, training=training)
        loss = tf.reduce_mean(tf.square(outputs - labels))
        if not training:
            return tf.estimator.EstimatorSpec(mode, loss=loss)
        with tf.control_dependencies(model.update_ops):
            step = v1.train.get_or_create_global_step()
            train_op = v1.train.GradientDescentOptimizer(RATE).minimize(tf.identity(loss), step)
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    strategy = None
    if distributed:
        use_two_cpus()
        # The collective ops that it takes by default hang in a session on CPUs, with any model.
        reduction = tf.distribute.ReductionToOneDevice()
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=reduction)
    config = tf.estimator.RunConfig(train_distribute=strategy, log_step_count_steps=None)
    estimator = tf.estimator.Estimator(model_fn, out + ".model", config=config)
    # Each replica gets a batch: the same one, so that the statistics are those of one process too.
    estimator.train(lambda: tf.data.Dataset.from_tensors((x, y)).repeat(), steps=steps)
    evaluated = estimator.evaluate(lambda: tf.data.Dataset.from_tensors((x, y)), steps=1)
    names = sorted(estimator.get_variable_names())
    values = {"v/" + name: estimator.get_variable_value(name) for name in names}
    refused = ""
    if distributed:
        try:
            with tf.Graph().as_default(), strategy.scope():
                unihub.load(module)
        except unihub.errors.UnihubError as error:
            refused = "{}: {}".format(type(error).__name__, error.what)
    np.savez(out, names=names, loss=evaluated["loss"], refused=refused, **values)


def load(handle, out, kind, **options):
    """Loads a model, and says where it was found."""
    with make_strategy(kind).scope():
        np.savez(out, path=unihub.load(handle, **options).info.path)


PROGRAMS = {program.__name__: program for program in (train, fit, fit_served, look, serve, coordinate, load, estimate)}


def start(program, options, environment, log):
    """Runs a program in a new process."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.environ.update(environment)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for number in (1, 2):
            os.dup2(handle, number)
        PROGRAMS[program](**options)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def wait(pid, seconds):
    """The exit status of a process, negative for a signal; ``None`` if it goes on."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        time.sleep(0.05)
    return None


def obey(order):
    """Does what a line says."""
    if "start" in order:
        return start(order["start"], order["options"], order["environment"], order["log"])
    if "wait" in order:
        return wait(order["wait"], order["seconds"])
    os.kill(order["kill"], signal.SIGKILL)
    return wait(order["kill"], 10)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)
