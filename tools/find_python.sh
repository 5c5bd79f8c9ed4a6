#!/bin/sh
# Print the Python that mason is to be built with: the one given, or the first on PATH that has all it
# takes. A command found on PATH may still not run (version managers leave stubs), so each is tried.
set -u

complete='
import os, sys, sysconfig
if sys.version_info < (3, 11) or sys.implementation.name != "cpython":
    sys.exit("needs CPython 3.11 or newer")
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit("is a free-threaded build; mason needs the ordinary one")
if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    sys.exit("has no C headers (Debian: apt-get install python3-dev)")
try:
    import ensurepip, venv
except ImportError:
    sys.exit("has no venv module (Debian: apt-get install python3-venv)")
print(sys.executable)
'

reasons=''
for name in ${1:-python3.13 python3.12 python3.11 python3}; do
    if found=$("$name" -c "$complete" 2>&1); then
        echo "$found"
        exit 0
    fi
    if command -v "$name" > /dev/null; then
        reasons="$reasons
  $name: $(echo "$found" | head -n 1)"
    fi
done
echo "no Python that mason can be built with (tried: ${1:-python3.13 python3.12 python3.11 python3})$reasons" >&2
exit 1
