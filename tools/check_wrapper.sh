#!/bin/bash
# The wrapper is on the path of every compile: static, and without the parts of the C++ library that cost start-up time.
set -euo pipefail
binary=$1
if readelf -d "$binary" | grep -q NEEDED; then
  echo "$binary: not static" >&2
  exit 1
fi
for word in 'std::ios_base::Init' 'std::locale::classic' 'std::filesystem' 'std::basic_regex' 'std::__detail::_Scanner'; do
  if nm -C "$binary" | grep -qF "$word"; then
    echo "$binary: holds $word" >&2
    exit 1
  fi
done
echo "wrapper: static, no iostream, locale, filesystem or regex"
