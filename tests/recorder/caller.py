"""Makes C library calls by name and prints what they returned; run with and without the recorder by test_calls.py.

Argument: a JSON file, a list of {"cwd", "call", "args", "returns", "fork"}. The names are looked up with dlsym, as a
program does that asks whether a function exists. errno is 77 before each call. Prints a JSON list of [succeeded, errno]."""
import ctypes
import json
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
WALK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
keep = []  # buffers and callbacks live as long as the process


def convert(arg):
    if arg is None or isinstance(arg, int):
        return arg
    if isinstance(arg, str):
        return os.fsencode(arg)
    (how, value), = arg.items()
    if how == "buffer":
        made = ctypes.create_string_buffer(value)
    elif how == "text":  # changed by the call
        made = ctypes.create_string_buffer(os.fsencode(value))
    elif how == "directory":
        return os.open(value, os.O_RDONLY | os.O_DIRECTORY)
    elif how == "descriptor":
        return os.open(value, os.O_RDONLY)
    elif how == "strings":
        made = (ctypes.c_char_p * (len(value) + 1))(*map(os.fsencode, value), None)
    elif how == "walker":
        made = WALK(lambda path, st, flag, at: 0)
    elif how == "size":
        return ctypes.c_size_t(value)
    elif how == "result_of":
        function = libc[value[0]]
        function.restype = ctypes.c_void_p
        return ctypes.c_void_p(function(*map(convert, value[1:])))
    elif how == "socket":
        import socket
        made = socket.socket(*value)
        keep.append(made)
        return made.fileno()
    elif how == "bytes":
        made = ctypes.create_string_buffer(bytes(value), len(value))
    else:
        raise ValueError(how)
    keep.append(made)
    return made


def perform(step):
    function = libc[step["call"]]
    pointer = step["returns"] == "pointer"
    function.restype = ctypes.c_void_p if pointer else ctypes.c_long if step["returns"] == "long" else ctypes.c_int
    args = [convert(arg) for arg in step["args"]]
    ctypes.set_errno(77)
    rc = function(*args)
    error = ctypes.get_errno()
    ok = rc is not None if pointer else rc == 0 if step["returns"] == "errno" else rc >= 0
    return [ok, rc if step["returns"] == "errno" else error]


def main():
    results = []
    for step in json.load(open(sys.argv[1])):
        os.chdir(step["cwd"])
        if not step["fork"]:
            results.append(perform(step))
            continue
        # The call replaces or ends the process; it is made in a child, which reports only where it returned.
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writer, json.dumps(perform(step)).encode())
            os._exit(9)
        os.close(writer)
        said = os.read(reader, 1000)
        os.close(reader)
        status = os.waitpid(pid, 0)[1]
        results.append(json.loads(said) if said else [True, os.waitstatus_to_exitcode(status)])
    print(json.dumps(results))


main()
