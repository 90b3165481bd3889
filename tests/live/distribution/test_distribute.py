"""Training under ``tf.distribute``: real processes on this machine, compared with one process that has the whole batch.

Where batch normalization trains, "the same" is what one process computes that sees the parts of the batch one by one, as
the replicas do by definition; with frozen statistics it is the whole batch at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tarfile
import time

import numpy as np
import pytest

import archives
import processes
import servers
import unihub
from live_runtime import DATA, HAS_HUB, HAS_KERAS2, RUNTIME, TENSORFLOW
from paths import SUPPORT

PROGRAMS = str(SUPPORT / "distribute_programs.py")
# Long enough for a machine that does other things, too.
SECONDS = 400
STEPS = 20
LOST_A_WORKER = 3
REUSABLE = str(DATA / "saved_model" / "reusable")

pytestmark = [
    pytest.mark.skipif(
        RUNTIME != "tf2", reason="strategies have eager processes; Estimators are tried from there, too"
    ),
    pytest.mark.skipif(
        TENSORFLOW < (2, 4), reason="parameter servers and logical CPUs are public from TensorFlow 2.4 on"
    ),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks"),
]


class Machine:
    """Processes that are started, waited for and killed."""

    def __init__(self, directory):
        self.directory = directory
        command = [sys.executable, PROGRAMS]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "universal_newlines": True}
        self._process = subprocess.Popen(command, env=processes.environment(TF_CPP_MIN_LOG_LEVEL="3"), **pipes)
        self._logs = {}
        self._ports = 0

    def _order(self, **order):
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, program, environment=(), **options):
        """Starts a program; gives its process id."""
        log = str(self.directory / "log{}".format(len(self._logs)))
        pid = self._order(start=program, options=options, environment=dict(environment), log=log)
        self._logs[pid] = log
        return pid

    def wait(self, pid, seconds=SECONDS):
        """The exit status of a process; ``None`` if it goes on."""
        return self._order(wait=pid, seconds=seconds)

    def kill(self, pid):
        """Ends a process as a crash would."""
        return self._order(kill=pid)

    def log(self, pid):
        """What a process has printed so far; it opens its log itself, a moment after it was started."""
        if not os.path.exists(self._logs[pid]):
            return ""
        with open(self._logs[pid], encoding="utf-8", errors="replace") as file:
            return file.read()

    def finish(self, *pids):
        """Waits for processes that have to end well."""
        for pid in pids:
            status = self.wait(pid)
            assert status == 0, self.log(pid)[-3000:]

    def start_workers(self, count, program, out, dying=(), **options):
        """Starts workers that train together; gives their ids, and where they write."""
        addresses = free_addresses(count)
        outs = [str(self.directory / "{}{}.npz".format(out, index)) for index in range(count)]
        pids = []
        for index in range(count):
            environment = task_of({"worker": addresses}, "worker", index)
            more = dict(dying) if index == count - 1 else {}
            pids.append(self.start(program, environment, out=outs[index], **dict(options, **more)))
        return pids, outs

    def close(self):
        """Ends it; what still runs is ended too."""
        for pid in self._logs:
            with contextlib.suppress(OSError):
                os.kill(pid, 9)
        self._process.stdin.close()
        self._process.wait(10)


def task_of(cluster, kind, index):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def free_addresses(count):
    """Addresses that nobody takes until they are used.

    The ports are below those that systems give to whoever asks for any, and each is kept from other processes of tests
    by a socket of another protocol, which stays bound.
    """
    found = []
    for port in random.sample(range(20000, 32000), 12000):
        guard, probe = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
        try:
            guard.bind(("127.0.0.1", port))
            probe.bind(("127.0.0.1", port))
        except OSError:
            guard.close()
        else:
            GUARDS.append(guard)
            found.append("127.0.0.1:{}".format(port))
        finally:
            probe.close()
        if len(found) == count:
            return found
    raise OSError("no free port")


GUARDS = []


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("distribute")


@pytest.fixture(scope="module")
def machine(directory):
    machine = Machine(directory)
    yield machine
    machine.close()


@pytest.fixture(scope="module")
def convnet64(directory):
    """A TF1 Hub module with batch normalization in float64, converted."""
    path = str(DATA / "tf1_hub" / "convnet64")
    return unihub.convert(path, str(directory / "convnet64"), progress=lambda line: None).path


def variables_of(path):
    with np.load(path) as arrays:
        return [arrays[key] for key in sorted(arrays.files) if key.startswith("v")]


def apart(one, other):
    """The largest difference between two lists of arrays."""
    assert len(one) == len(other) > 0
    return max(float(np.abs(first - second).max()) for first, second in zip(one, other))


@pytest.fixture(scope="module")
def alone(machine, directory):
    """What one process gets, by model, training mode and how many parts the batch has; each is trained once."""
    known = {}

    def train(path, training, replicas):
        key = (path, training, replicas)
        if key not in known:
            out = str(directory / "alone{}.npz".format(len(known)))
            options = {"path": path, "training": training, "replicas": replicas}
            machine.finish(machine.start("train", out=out, kind="one", steps=STEPS, **options))
            known[key] = variables_of(out)
        return known[key]

    return train


def check_workers(machine, alone, count, path, training, bound):
    """Trains on workers; all have to hold the same, and what one process holds."""
    out = "workers{}".format(count)
    pids, outs = machine.start_workers(count, "train", out, path=path, kind="workers", steps=STEPS, training=training)
    machine.finish(*pids)
    found = [variables_of(each) for each in outs]
    assert all(apart(found[0], other) == 0 for other in found[1:])
    wanted = alone(path, training, count if training else 1)
    print("{} workers, training={}: {:.1e} apart".format(count, training, apart(found[0], wanted)))
    assert apart(found[0], wanted) <= bound
    start = [variable.numpy() for variable in unihub.load(path, api="load").variables]
    moved = [apart([old], [new]) > 1e-3 for old, new in zip(start, wanted)]
    assert all(moved) or (not training and sum(moved) >= 2)


@pytest.mark.slow
class TestLoop:
    """The user's own training loop, with an optimizer of TensorFlow's."""

    def test_two_replicas(self, machine, alone, directory, convnet64):
        out = str(directory / "mirrored.npz")
        machine.finish(machine.start("train", path=convnet64, out=out, kind="mirrored", steps=STEPS, training=True))
        assert apart(variables_of(out), alone(convnet64, True, 2)) <= 1e-9

    @pytest.mark.thorough
    @pytest.mark.parametrize("kind, training", [("one device", True), ("central", False)])
    def test_other_strategies(self, machine, alone, directory, convnet64, kind, training):
        out = str(directory / "other-{}.npz".format(kind))
        machine.finish(machine.start("train", path=convnet64, out=out, kind=kind, steps=STEPS, training=training))
        assert apart(variables_of(out), alone(convnet64, training, 1)) <= 1e-9

    @pytest.mark.thorough
    def test_three_workers(self, machine, alone, convnet64):
        """In float64, with batch normalization that trains."""
        check_workers(machine, alone, 3, convnet64, True, 1e-9)

    def test_two_workers(self, machine, alone):
        """In float32, with frozen statistics: the same as the whole batch at once."""
        check_workers(machine, alone, 2, REUSABLE, False, 1e-5)

    @pytest.mark.thorough
    def test_a_killed_worker(self, machine, alone, directory, convnet64):
        """The others end with an error; all are started again, go on from the checkpoint, and end with the same."""
        options = {"path": convnet64, "kind": "workers", "steps": STEPS, "training": True}
        options["checkpoints"] = str(directory / "checkpoints")
        pids, _ = machine.start_workers(3, "train", "killed", dying={"dies_at": 8}, **options)
        assert [machine.wait(pid) for pid in pids] == [LOST_A_WORKER, LOST_A_WORKER, -9]
        assert "lost a worker: UnavailableError" in machine.log(pids[0])
        pids, outs = machine.start_workers(3, "train", "again", **options)
        machine.finish(*pids)
        for out in outs:
            with np.load(out) as arrays:
                assert arrays["began"] == 8
            assert apart(variables_of(out), alone(convnet64, True, 3)) <= 1e-9


@contextlib.contextmanager
def served(machine):
    """Two workers and a server; gives the cluster they and their coordinator are, and the workers."""
    addresses = free_addresses(4)
    cluster = {"chief": addresses[:1], "worker": addresses[1:3], "ps": addresses[3:]}
    workers = [machine.start("serve", task_of(cluster, "worker", index)) for index in (0, 1)]
    server = machine.start("serve", task_of(cluster, "ps", 0))
    yield cluster, workers
    for pid in (*workers, server):
        machine.kill(pid)


class TestParameterServer:
    @pytest.mark.thorough
    def test_a_killed_worker(self, machine, directory, convnet64):
        """A coordinator, two workers and a server; the coordinator goes on while a worker is gone and when it is back."""
        pause, out = directory / "pause", str(directory / "served.npz")
        with served(machine) as (cluster, workers):
            tf1 = str(DATA / "tf1_hub" / "text_embedding")
            options = {"path": convnet64, "out": out, "steps": 2 * STEPS, "tf1": tf1, "pause": str(pause)}
            chief = machine.start("coordinate", task_of(cluster, "chief", 0), **options)
            end = time.monotonic() + SECONDS
            while not pause.exists() and time.monotonic() < end:
                assert machine.wait(chief, 0.2) is None, machine.log(chief)[-3000:]
            assert machine.kill(workers[1]) == -9
            pause.unlink()
            workers[1] = machine.start("serve", task_of(cluster, "worker", 1))
            machine.finish(chief)
        with np.load(out) as found:
            assert len(found["losses"]) == 2 * STEPS and found["losses"][-1] < found["losses"][0]
            assert (found["moved"] > 1e-3).all() and set(found["places"]) == {"ps"}
            assert list(found["refusals"]) == ["UnsupportedError", "UnsupportedError", "InputError"]

    @pytest.mark.skipif(not HAS_KERAS2, reason="Keras 3 knows no parameter servers")
    @pytest.mark.thorough
    def test_fit(self, machine, directory):
        out = str(directory / "fit-served.npz")
        options = {"path": str(DATA / "saved_model" / "no_training"), "out": out, "steps": STEPS}
        with served(machine) as (cluster, _):
            machine.finish(machine.start("fit_served", task_of(cluster, "chief", 0), **options))
        with np.load(out) as found:
            assert found["losses"][1] < found["losses"][0]
            assert (found["moved"] > 1e-3).any() and set(found["places"]) == {"ps"}


@pytest.mark.slow
class TestKeras:
    @pytest.mark.keras2
    def test_fit_on_two_replicas(self, machine, directory):
        self.compare(machine, directory, "mirrored", **self.model())

    @pytest.mark.skipif(not HAS_KERAS2, reason="Keras 3 cannot: it fails with two workers, whatever the layer")
    @pytest.mark.thorough
    def test_fit_on_two_workers(self, machine, directory, convnet64):
        self.compare(machine, directory, "workers", path=convnet64, floatx="float64")

    def model(self):
        # Without a training mode: in Keras 3 fit() turns it on, whatever a layer was called with.
        return {"path": str(DATA / "saved_model" / "no_training")}

    def compare(self, machine, directory, kind, **options):
        one = str(directory / "fit-{}-one.npz".format(kind))
        machine.finish(machine.start("fit", out=one, kind="one", steps=STEPS, **options))
        if kind == "workers":
            pids, outs = machine.start_workers(2, "fit", "fit", kind=kind, steps=STEPS, **options)
        else:
            outs = [str(directory / "fit.npz")]
            pids = [machine.start("fit", out=outs[0], kind=kind, steps=STEPS, **options)]
        machine.finish(*pids)
        for out in outs:
            assert apart(variables_of(out), variables_of(one)) <= (1e-9 if "floatx" in options else 1e-5)


@pytest.mark.skipif(TENSORFLOW >= (2, 16) or TENSORFLOW < (2, 10), reason="Estimator is gone from TensorFlow 2.16 on")
class TestEstimator:
    @pytest.mark.thorough
    def test_train_distribute(self, machine, directory, plain):
        """``model_fn`` loads the model in each replica; the checkpoint is that of one process."""
        outs = [str(directory / "estimator{}.npz".format(index)) for index in (0, 1)]
        for index, out in enumerate(outs):
            module = str(DATA / "tf1_hub" / "convnet")
            options = {"path": plain, "out": out, "steps": STEPS, "distributed": bool(index), "module": module}
            machine.finish(machine.start("estimate", **options))
        with np.load(outs[0]) as one, np.load(outs[1]) as two:
            assert list(one["names"]) == list(two["names"]) == ["global_step", "module/kernel", "module/mean"]
            assert apart(*[[each[name] for name in each.files if name.startswith("v/")] for each in (one, two)]) <= 1e-5
            assert abs(float(one["loss"]) - float(two["loss"])) <= 1e-5
            assert "a tf1-hub module cannot be loaded in the scope of a MirroredStrategy" in str(two["refused"])


@pytest.fixture(scope="module")
def plain(directory):
    """A model with a moving statistic, and nothing random."""
    import tensorflow as tf

    class Centred(tf.Module):
        def __init__(self):
            super().__init__()
            self.kernel = tf.Variable(np.random.RandomState(0).uniform(-1, 1, (8, 4)).astype("float32"), name="kernel")
            self.mean = tf.Variable(tf.zeros([4]), trainable=False, name="mean")

        @tf.function
        def __call__(self, x, training=False):
            outputs = tf.matmul(x, self.kernel)
            if training:
                self.mean.assign_sub(0.1 * (self.mean - tf.reduce_mean(outputs, axis=0)))
            return outputs - self.mean

    model = Centred()
    for training in (False, True):
        model.__call__.get_concrete_function(tf.TensorSpec([None, 8], tf.float32, "x"), training=training)
    tf.saved_model.save(model, str(directory / "plain"))
    return str(directory / "plain")


@pytest.fixture(scope="module")
def looked(machine, directory, convnet64):
    """What ``look`` found."""
    out, data = str(directory / "look.json"), directory / "data"
    os.symlink(str(DATA / "saved_model"), str(make(data) / "saved_model"))
    os.symlink(str(DATA / "tf1_saved_model"), str(data / "tf1_saved_model"))
    with tarfile.open(str(DATA / "keras" / "keras2-tf2.4.tar.gz")) as archive:
        archive.extractall(str(data / "keras2"))
    machine.finish(machine.start("look", out=out, converted=convnet64, data=str(data), folder=str(directory)))
    with open(out) as file:
        return json.load(file)


def make(path):
    path.mkdir()
    return path


@pytest.mark.skipif(not HAS_HUB and HAS_KERAS2, reason="the Keras 2 layer needs tensorflow_hub")
@pytest.mark.thorough
class TestModels:
    """What becomes of a model in the scope of a strategy."""

    @pytest.mark.parametrize("name", ["converted", "bare", "layer", "part"])
    def test_variables_are_the_strategy_s(self, looked, name):
        """Those to train are mirrored, and statistics are a value per replica, whether or not the model says so."""
        assert looked["variables"][name] == [["MirroredVariable", True], ["SyncOnReadVariable", False]]

    def test_statistics_are_means(self, looked):
        for name, (difference, error) in looked["apart"].items():
            assert error <= 1e-6
            assert (difference > 1e-3) == ("moving" in name)

    @pytest.mark.parametrize("name", ["text", "tf1", "session", "signature"])
    def test_inference_in_replicas(self, looked, name):
        first, second = looked["outputs"][name]
        assert first <= 1e-6 and second <= 1e-6

    @pytest.mark.parametrize("name", ["loop", "layer"])
    def test_loaded_outside(self, looked, name):
        assert looked["errors"][name].startswith("InputError: ")
        assert "is used in the scope of a MirroredStrategy, and was loaded outside of it" in looked["errors"][name]

    def test_loaded_for_another_strategy(self, looked):
        assert "was loaded in that of another strategy, a MirroredStrategy" in looked["errors"]["another"]

    def test_a_frozen_model_may_be_outside(self, looked):
        assert looked["frozen"] == 0

    def test_reuse_does_not_cross_scopes(self, looked):
        assert looked["reused"] == [True, False]

    def test_a_function_in_replicas_loads_once(self, looked):
        assert looked["inside"] == [1, "MirroredVariable"]

    @pytest.mark.skipif(HAS_KERAS2, reason="self-contained files are of Keras 3")
    def test_self_contained_file(self, looked):
        kinds, difference = looked["file"]
        assert kinds == ["MirroredVariable", "SyncOnReadVariable"] and difference <= 1e-6


class TestDownload:
    @pytest.mark.thorough
    def test_one_for_all_workers_of_a_machine(self, machine, directory):
        """Three workers that ask at the same time: one fetches, the others find what it fetched."""
        site = servers.Site()
        held = site.answers["/model.tar.gz"] = servers.Held(archives.folder(REUSABLE))
        try:
            handle = site.url + "/model.tar.gz"
            addresses = free_addresses(3)
            outs = [str(directory / "load{}.npz".format(index)) for index in range(3)]
            pids = []
            for index in range(3):
                environment = task_of({"worker": addresses}, "worker", index)
                environment["UNIHUB_CACHE_DIR"] = str(directory / "cache")
                pids.append(machine.start("load", environment, handle=handle, out=outs[index], kind="workers"))
            # The first has begun to fetch, and the others say that they wait for it.
            said = "is being fetched by process"
            servers.wait_until(lambda: sum(said in machine.log(pid) for pid in pids) == 2)
            held.release()
            machine.finish(*pids)
        finally:
            site.close()
        assert site.count("/model.tar.gz") == 1
        paths = {str(np.load(out)["path"]) for out in outs}
        assert len(paths) == 1 and str(directory / "cache") in paths.pop()
