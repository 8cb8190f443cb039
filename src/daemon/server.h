// Server: the daemon's process: one instance per cache directory, a socket that only its user can use, and an end when it is
// asked, idle, or replaced on the disk by another version, whose place it then takes by becoming it.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "config/config.h"
#include "store/layout.h"

namespace kache {

struct ServerSettings {
  FileSystem& fs;
  Clock& clock;
  Env env;
  Config config;
  StoreLayout layout;
  std::string program;             // this one, to become again
  std::vector<std::string> words;  // its arguments
};

// Runs until it ends. `busy`: another daemon serves this cache directory. Errors: it could not begin.
Status run_daemon(const ServerSettings& settings);

}  // namespace kache
