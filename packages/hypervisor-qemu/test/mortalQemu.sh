#!/bin/sh
# QEMU that ends with the process that started it, also where that is killed: a test must leave none behind.
exec setpriv --pdeathsig KILL qemu-system-x86_64 "$@"
