"""A spare interpreter: started ahead of time, it waits for one command of the form `python …` and becomes it.

This file is a program for the robot's interpreter, whichever Python 3.8 or later that is, in an environment that knows
nothing of us: it imports nothing of ours, and nothing at all that `python` itself does not import anyway, except what
it is told to. It lives once: it serves one command, and what that command sees differs from a fresh interpreter only in
modules that are imported already (and in three frames at the bottom of its stack). The worker gives a command that
would notice to a plain process instead; for that the spare reports what it has imported and which variables it read.

Protocol on the descriptor given as first argument: the spare writes its modules and the variables read, two lines of
names parted by blanks. It reads the length (4 bytes) and then the marshalled job, writes one byte and closes. End of
file instead of a job means that it is no longer wanted.
"""

# Why no annotations and no pathlib: the oldest Python must read this file, and nothing may be imported without need
# ruff: noqa: ANN001, ANN201, ANN202, ANN204, BLE001, PLC0415, PLW2901, PTH100, PTH109, PTH110, PTH117, PTH118, PTH120
# ruff: noqa: PTH123, RUF005, S102, S302, SLF001, UP031
# mypy: ignore-errors

import os
import sys


def main(descriptor, preload):
    """Wait for a job and do it."""
    bare = set(sys.modules)
    variables = _import(preload)
    new = {name.partition(".")[0] for name in set(sys.modules) - bare}
    _write(descriptor, ("%s\n%s\n" % (" ".join(sorted(new)), " ".join(sorted(variables)))).encode())
    job = _receive(descriptor)
    if job is None:
        return
    _prepare(job)
    _write(descriptor, b"1")
    os.close(descriptor)
    _become(job)


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
    for name in set(os.environ) - set(environ):
        del os.environ[name]
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


def _become(job):
    """Run the command with the meaning of `__main__`, up to the end of the process."""
    words = job["words"]
    module = type(sys)("__main__")
    module.__builtins__ = sys.modules["builtins"]
    if sys.version_info < (3, 14):
        module.__annotations__ = {}
    module.__loader__ = sys.modules["_frozen_importlib"].BuiltinImporter
    sys.modules["__main__"] = module
    try:
        if words[0] == "-m":
            sys.argv[:] = ["-m"] + words[2:]
            sys.path.insert(0, os.getcwd())
            import runpy

            runpy._run_module_as_main(words[1])
        else:
            sys.argv[:] = words
            _run_file(module, words[0])
    except SystemExit:
        raise
    except BaseException as error:
        _show(error)


def _run_file(module, name):
    """Run a script as `python name` does."""
    path = os.path.abspath(name) if sys.version_info >= (3, 9) else name
    if not os.path.isabs(name) and sys.version_info >= (3, 9):
        path = os.path.join(os.getcwd(), name)
    sys.path.insert(0, os.path.dirname(os.path.realpath(name)))
    module.__file__ = path
    module.__cached__ = None
    module.__loader__ = sys.modules["_frozen_importlib_external"].SourceFileLoader("__main__", path)
    with open(path, "rb") as file:
        source = file.read()
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)


def _show(error):
    """Report an exception that nobody caught as the interpreter would, without the frames of this file, and end."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    error.__traceback__ = trace
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    try:
        sys.excepthook(type(error), error, trace)
    except SystemExit:
        raise
    except BaseException as second:
        _show_both(second, error)
    if isinstance(error, KeyboardInterrupt):
        # Python itself ends by the signal then; it does so for us, too, with nothing left to say
        sys.excepthook = lambda *_: None
        raise error
    raise SystemExit(1)


def _show_both(second, error):
    second.__traceback__ = second.__traceback__ and second.__traceback__.tb_next
    sys.stderr.write("Error in sys.excepthook:\n")
    sys.__excepthook__(type(second), second, second.__traceback__)
    sys.stderr.write("\nOriginal exception was:\n")
    sys.__excepthook__(type(error), error, error.__traceback__)


if __name__ == "__main__":
    # Why again: the functions must live in a namespace that is not `__main__`, which becomes the robot's
    with open(__file__, "rb") as _file:
        _code = compile(_file.read(), __file__, "exec", dont_inherit=True)
    _names = {"__name__": "_controlroom_spare", "__file__": __file__, "__builtins__": __builtins__}
    exec(_code, _names)
    _names["main"](int(sys.argv[1]), sys.argv[2:])
