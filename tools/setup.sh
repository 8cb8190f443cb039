#!/bin/bash
# Installs what building and testing kache needs, where it is missing. Debian 12 and 13.
#   tools/setup.sh build   what ./install needs
#   tools/setup.sh test    and what ./test and .ci/run need
#   tools/setup.sh rust    a Rust toolchain, where there is none on PATH
set -euo pipefail

build="gcc g++ cmake ninja-build pkg-config librust-blake3-dev nlohmann-json3-dev libtomlplusplus-dev libcli11-dev libsqlite3-dev libncurses-dev
       libcurl4-openssl-dev libzstd-dev libsodium-dev libhiredis-dev libssl-dev libpugixml-dev"
test="$build libgtest-dev python3 python3-pytest python3-pytest-xdist strace make file clang libclang-rt-dev llvm lld mold gdb
      binutils zsh fish mandoc man-db groff-base xfsprogs btrfs-progs e2fsprogs util-linux iproute2 mount meson tmux chromium python3-yaml
      redis-server openssl nginx-light libnginx-mod-http-dav-ext radosgw ceph-mon ceph-osd ceph-base ceph-common"

rust() {
  # A current toolchain is beside the distribution's own; that of Debian 13 is new enough too.
  if apt-cache show rustc-web >/dev/null 2>&1; then echo rustc-web cargo-web; else echo rustc cargo; fi
}

has() { command -v "$1" >/dev/null; }

# sudo passes no variables on.
as_root() { if [ "$(id -u)" = 0 ]; then env "$@"; else sudo env "$@"; fi; }

missing() {
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

wanted=""
for part in "$@"; do
  case $part in
    build) wanted+=" $build" ;;
    test) wanted+=" $test" ;;
    rust) ;;
    *) echo "setup.sh: unknown part $part" >&2; exit 2 ;;
  esac
done

if ! has dpkg-query; then
  echo "setup.sh: not a Debian system, so nothing is installed; what Debian calls these has to be there:$wanted" >&2
  exit
fi
needed=$(missing $wanted)
toolchain=there
if [[ " $* " == *" rust "* ]] && ! { has cargo && has rustc; }; then toolchain=missing; fi
if [ -n "$needed" ] || [ "$toolchain" = missing ]; then
  if [ "$(id -u)" != 0 ] && ! has sudo; then
    echo "setup.sh: packages are missing, and there is no sudo to install them; as root: $(realpath "$0") $*" >&2
    exit 1
  fi
  as_root apt-get update -qq
  if [ "$toolchain" = missing ]; then needed+=" $(missing $(rust))"; fi
  echo "installing" $needed
  as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates $needed >/dev/null
fi
