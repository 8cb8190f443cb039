#include "cli/service_manager.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/path.h"

namespace kache {
namespace {

using Commands = std::vector<std::vector<std::string>>;

// --- systemd: systemd.service(5), systemd.syntax(7) --------------------------------------------------------------------

std::string unit_dir(const Env& env) {
  std::string_view config = env.get_or_empty("XDG_CONFIG_HOME"), home = env.get_or_empty("HOME");
  if (is_absolute(config)) return join_path(config, "systemd/user");
  return is_absolute(home) ? join_path(home, ".config/systemd/user") : "";
}

// The daemon becomes its successor after an upgrade, under the same pid; it ends with 0 only when it was asked to.
std::string unit(const std::string& kache) {
  return "[Unit]\n"
         "Description=kache, compiler cache\n"
         "\n"
         "[Service]\n"
         "ExecStart=" + systemd_word(kache) + " daemon run\n"
         "Restart=on-failure\n"
         "RestartSec=5\n"
         "TimeoutStopSec=45\n"
         "Nice=5\n"
         "\n"
         "[Install]\n"
         "WantedBy=default.target\n";
}

Commands start_unit(const std::string&) {
  return {{"systemctl", "--user", "daemon-reload"}, {"systemctl", "--user", "enable", "--now", "kache.service"},
          {"systemctl", "--user", "restart", "kache.service"}};
}

Commands stop_unit(const std::string&) {
  return {{"systemctl", "--user", "disable", "--now", "kache.service"}, {"systemctl", "--user", "daemon-reload"}};
}

// --- launchd: launchd.plist(5) -----------------------------------------------------------------------------------------

std::string agent_dir(const Env& env) {
  std::string_view home = env.get_or_empty("HOME");
  return is_absolute(home) ? join_path(home, "Library/LaunchAgents") : "";
}

std::string agent(const std::string& kache) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
         "<plist version=\"1.0\">\n"
         "<dict>\n"
         "  <key>Label</key><string>ninja.kunobi.kache</string>\n"
         "  <key>ProgramArguments</key>\n"
         "  <array><string>" + xml_text(kache) + "</string><string>daemon</string><string>run</string></array>\n"
         "  <key>RunAtLoad</key><true/>\n"
         "  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>\n"
         "  <key>ThrottleInterval</key><integer>5</integer>\n"
         "  <key>ProcessType</key><string>Background</string>\n"
         "</dict>\n"
         "</plist>\n";
}

std::string gui_domain() { return "gui/" + std::to_string(::getuid()); }

Commands start_agent(const std::string& file) { return {{"launchctl", "bootstrap", gui_domain(), file}}; }
Commands stop_agent(const std::string& file) { return {{"launchctl", "bootout", gui_domain(), file}}; }

constexpr ServiceManager kManagers[] = {
#ifdef __APPLE__
    {"launchd", "ninja.kunobi.kache.plist", agent_dir, agent, start_agent, stop_agent},
    {"systemd", "kache.service", unit_dir, unit, start_unit, stop_unit},
#else
    {"systemd", "kache.service", unit_dir, unit, start_unit, stop_unit},
    {"launchd", "ninja.kunobi.kache.plist", agent_dir, agent, start_agent, stop_agent},
#endif
};

}  // namespace

const ServiceManager* find_service_manager(std::string_view name) {
  if (name.empty()) return &kManagers[0];
  auto row = std::find_if(std::begin(kManagers), std::end(kManagers), [&](const ServiceManager& one) { return one.name == name; });
  return row == std::end(kManagers) ? nullptr : &*row;
}

std::vector<std::string> service_manager_names() {
  std::vector<std::string> names;
  for (const ServiceManager& manager : kManagers) names.emplace_back(manager.name);
  return names;
}

std::string systemd_word(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%' || c == '$') out += c;  // doubled: no specifier, no variable
    out += c;
  }
  return out + "\"";
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace kache
