"""A spare interpreter: started ahead of time, it waits for one command of the form `python …` and becomes it.

This file is a program for the robot's interpreter, whichever Python 3.6 or later that is, in an environment that knows
nothing of us: it imports nothing of ours, and nothing at all that `python` itself does not import anyway, except what
it is told to. It lives once: it serves one command, and what that command sees differs from a fresh interpreter only in
modules that are imported already (and a script has one frame more at the bottom of its stack). The worker gives a
command that would notice to a plain process instead; for that the spare reports what it has imported and which
variables it read.

Protocol on the descriptor given as first argument: the spare writes its modules and the variables read, two lines of
names parted by blanks. It reads the length (4 bytes) and then the marshalled job, writes one byte and closes. End of
file instead of a job means that it is no longer wanted.
"""

# Why no annotations and no pathlib: the oldest Python must read this file, and nothing may be imported without need
# ruff: noqa: ANN001, ANN201, ANN202, ANN204, BLE001, PLC0415, PLW2901, RUF005, S102, S302, SLF001, UP031
# ruff: noqa: PTH100, PTH109, PTH110, PTH117, PTH118, PTH120, PTH123
# mypy: ignore-errors

import os
import sys


def main(descriptor, preload, breed=None):
    """Wait for a job and prepare this process for it; ends by making `sys.excepthook` the one that does it.

    With `breed` this process is a zygote, and what waits are the spares that it bears (`zygote_main.py`).

    Why the hook: the interpreter calls it with no frame below, when the program of this file has failed. So the stack
    of a robot begins where it begins in a fresh interpreter: logs show stacks to the bottom, with variables.
    """
    bare = set(sys.modules)
    variables = _import(preload)
    runs_module = _with_end(sys.modules["runpy"]) if "runpy" in sys.modules else None
    new = {name.partition(".")[0] for name in set(sys.modules) - bare}
    if breed is not None:
        descriptor = breed()
    _write(descriptor, ("%s\n%s\n" % (" ".join(sorted(new)), " ".join(sorted(variables)))).encode())
    job = _receive(descriptor)
    if job is None:
        return
    _prepare(job)
    _write(descriptor, b"1")
    os.close(descriptor)
    bottom = _bottom_of_module(job["words"], runs_module) if job["words"][0] == "-m" else _bottom_of_file(job["words"])
    # Why this chain: it calls `bottom` without arguments and without a Python function in between
    from _functools import partial

    sys.excepthook = partial(max, key=partial(next, iter(bottom, bottom)))
    raise _Begin


class _Begin(Exception):  # noqa: N818 - no error: a trick
    """Makes the interpreter call `sys.excepthook`."""


def _import(names):
    """Import modules and return the names of the environment variables that they looked at."""
    looked_at = set()
    plain = type(os.environ)

    class Watched(plain):
        def __getitem__(self, name):
            looked_at.add(str(name))
            return plain.__getitem__(self, name)

        def __contains__(self, name):
            looked_at.add(str(name))
            return plain.__contains__(self, name)

    os.environ.__class__ = Watched
    try:
        for name in names:
            try:
                __import__(name)
            except ImportError:
                continue  # this environment has another version of the library, or not this part of it
    finally:
        os.environ.__class__ = plain
    return {name for name in looked_at if name.isidentifier()}


def _write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


def _receive(descriptor):
    import marshal  # built in: imported by every interpreter at its start

    size = _read(descriptor, 4)
    if size is None:
        return None
    data = _read(descriptor, int.from_bytes(size, "big"))
    return None if data is None else marshal.loads(data)


def _read(descriptor, size):
    parts = []
    while size:
        part = os.read(descriptor, size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _prepare(job):
    """Make the process what a fresh interpreter would be after it read its command line and its variables."""
    environ = job["environ"]
    os.environ.clear()
    os.environ.update(environ)
    if "TZ" in environ or job["zone_changes"]:
        __import__("time").tzset()
    os.chdir(job["cwd"])
    if "multiprocessing.process" in sys.modules:
        sys.modules["multiprocessing.process"].ORIGINAL_DIR = os.path.abspath(job["cwd"])
    _set_path(job["path"])
    if hasattr(sys, "orig_argv"):
        sys.orig_argv = [sys.orig_argv[0]] + job["words"]


def _set_path(folders):
    """Put PYTHONPATH's folders where `site` would have put them: in front, absolute, none twice."""
    rest = sys.path[1:]  # without the folder of this file
    seen = set()
    path = []
    for folder in folders + rest:
        folder = os.path.abspath(folder) if os.path.exists(folder) else folder
        if folder not in seen:
            seen.add(folder)
            path.append(folder)
    sys.path[:] = path


def _fresh_main():
    """A `__main__` module as the interpreter makes it."""
    module = type(sys)("__main__")
    if sys.version_info < (3, 14):
        module.__annotations__ = {}
    module.__builtins__ = sys.modules["builtins"]
    module.__loader__ = sys.modules["_frozen_importlib"].BuiltinImporter
    sys.modules["__main__"] = module
    return module


def _bottom_of_module(words, code):
    """The function at the bottom of the stack of `python -m`: runpy's own, with an end like the interpreter's."""
    runpy = sys.modules["runpy"]
    _fresh_main()
    sys.argv[:] = ["-m"] + words[2:]
    sys.path.insert(0, os.getcwd())
    names = dict(vars(runpy), _started=_started, _ended=_ended, _show=_show)
    return type(main)(code, names, "_run_module_as_main", (words[1], True))


def _with_end(runpy):
    """The code of `runpy._run_module_as_main`, changed in what happens after its last line only."""
    import ast

    original = runpy._run_module_as_main.__code__
    with open(_source_of(runpy), "rb") as file:
        tree = ast.parse(file.read())
    function = next(node for node in tree.body if getattr(node, "name", "") == original.co_name)
    last = function.body[-1]
    function.body[-1] = ast.copy_location(ast.Expr(last.value), last)
    frame = ast.parse(_END).body[0]
    frame.body[1].body = function.body
    function.body = frame.body
    whole = ast.Module(body=[function], type_ignores=[])  # by name: Python 3.7 knows the first only
    module = compile(whole, original.co_filename, "exec", dont_inherit=True)
    return next(constant for constant in module.co_consts if hasattr(constant, "co_code"))


_END = """
def frame():
    _started()
    try:
        pass
    except SystemExit:
        raise
    except BaseException as _caught:
        _failure = _caught
    else:
        _ended()
    _show(_failure)
"""


def _source_of(module):
    return getattr(module, "__file__", None) or os.path.join(os.path.dirname(os.__file__), module.__name__ + ".py")


def _bottom_of_file(words):
    """The function at the bottom of the stack of `python FILE`: one frame more than the interpreter has."""
    name = words[0]
    path = name
    if sys.version_info >= (3, 9) and not os.path.isabs(name):
        path = os.path.join(os.getcwd(), name)
    module = _fresh_main()
    sys.argv[:] = words
    sys.path.insert(0, os.path.dirname(os.path.realpath(name)))
    module.__file__ = path
    module.__cached__ = None
    module.__loader__ = sys.modules["_frozen_importlib_external"].SourceFileLoader("__main__", path)

    def bottom():
        _started()
        try:
            with open(path, "rb") as file:
                code = compile(file.read(), path, "exec", dont_inherit=True)
            exec(code, module.__dict__)
        except SystemExit:
            raise
        except BaseException as caught:
            failure = caught
        else:
            _ended()
        _show(failure)

    return bottom


def _started():
    """Take the traces of the trick by which the bottom function was called."""
    sys.excepthook = sys.__excepthook__
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            delattr(sys, name)


def _ended():
    """The end of a program that raised nothing."""
    raise SystemExit


def _show(error):
    """Report an exception that nobody caught as the interpreter would, without the frames of this file, and end."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    error.__traceback__ = trace
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    second = _call_hook(error)
    if second is not None:
        _show_both(second, error)
    if isinstance(error, KeyboardInterrupt):
        _end_by_interrupt()
    raise SystemExit(1)


def _end_by_interrupt():
    """End as the interpreter does then: by the signal, after everything that is to be done at an end."""
    import atexit
    import signal

    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


def _call_hook(error):
    """Call the hook for exceptions; returns what it raised itself."""
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit:
        raise
    except BaseException as second:
        second.__traceback__ = second.__traceback__ and second.__traceback__.tb_next
        return second
    return None


def _show_both(second, error):
    sys.stderr.write("Error in sys.excepthook:\n")
    sys.__excepthook__(type(second), second, second.__traceback__)
    sys.stderr.write("\nOriginal exception was:\n")
    sys.__excepthook__(type(error), error, error.__traceback__)


if __name__ == "__main__":
    # Why again: the functions must live in a namespace that is not `__main__`, which becomes the robot's
    def _functions_of(path):
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        names = {"__name__": "_controlroom_spare", "__file__": path, "__builtins__": __builtins__}
        exec(code, names)
        return names

    _main = _functions_of(__file__)["main"]
    if sys.argv[1] == "zygote":  # zygote CONTROL STDOUT STDERR MODULE…
        _breed = _functions_of(os.path.join(os.path.dirname(__file__), "zygote.py"))["breed"]
        _control, *_printed = map(int, sys.argv[2:5])
        _main(-1, sys.argv[5:], lambda: _breed(_control, _printed))
    else:  # LINE MODULE…
        _main(int(sys.argv[1]), sys.argv[2:])
