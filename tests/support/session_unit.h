// A unit of a session, each number another.
#pragma once

#include "remote/session.h"

namespace kache {

inline SessionUnit session_unit(int number, uint64_t size = 100) {
  SessionUnit made;
  made.invocation = {digest_bytes("invocation " + std::to_string(number))};
  made.action = {digest_bytes("action " + std::to_string(number))};
  made.crate_name = "unit" + std::to_string(number);
  made.compile_ms = 12;
  made.size = size;
  made.offset_ms = static_cast<uint32_t>(number);
  return made;
}

}  // namespace kache
