// What starts the daemon when its user logs in: a user unit of systemd, or an agent of launchd.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/result.h"

namespace kache {

struct ServiceManager {
  std::string_view name;     // "systemd", "launchd"
  std::string_view file;     // below the directory of such files
  std::string (*dir)(const Env& env);  // "" where there is no home
  std::string (*contents)(const std::string& kache);  // of the file
  std::vector<std::vector<std::string>> (*start)(const std::string& file);  // commands, in order
  std::vector<std::vector<std::string>> (*stop)(const std::string& file);
};

// By its name; "" means the one of this system. nullptr: there is none of that name.
const ServiceManager* find_service_manager(std::string_view name);
std::vector<std::string> service_manager_names();

// As one word of an ExecStart line; and as text of XML.
std::string systemd_word(std::string_view text);
std::string xml_text(std::string_view text);

}  // namespace kache
