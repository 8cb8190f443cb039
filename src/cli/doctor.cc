// `kache doctor`: is kache set up well, for Rust and for C, and is the store sound.
#include <sys/statfs.h>
#include <unistd.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/boot.h"
#include "base/path.h"
#include "cli/doctor.h"
#include "cli/settings.h"
#include "config/options.h"
#include "store/toolchain.h"

namespace kache {

std::string recorder_path(const CommandContext& context) {
  return std::string(dir_name(dir_name(context.kache))) + "/libexec/kache/libkache-record.so";
}

bool is_this_kache(const CommandContext& context, const std::string& path) {
  Result<FileStat> own = context.fs.stat(context.kache), other = context.fs.stat(path);
  return own.ok() && other.ok() && own->dev == other->dev && own->ino == other->ino;
}

namespace {

using json = nlohmann::ordered_json;

struct NetworkFs {
  long magic;
  const char* name;
};
// linux/magic.h and the file systems' own sources.
constexpr NetworkFs kNetwork[] = {
    {0x6969, "nfs"}, {0x517B, "smb"}, {0xFF534D42, "cifs"}, {0xFE534D42, "smb2"}, {0x01021997, "9p"},
    {0x00C36400, "ceph"}, {0x01161970, "gfs2"}, {0x0BD00BD0, "lustre"}, {0x564C, "ncp"}, {0x5346414F, "afs"},
    {0x65735546, "fuse"},
};

std::string network_file_system(const std::string& path) {
  std::string place = path;
  struct statfs info;
  while (::statfs(place.c_str(), &info) != 0) {
    if (place.size() <= 1) return {};
    place = dir_name(place);
  }
  for (const NetworkFs& row : kNetwork) {
    if (static_cast<unsigned long>(info.f_type) == static_cast<unsigned long>(row.magic)) return row.name;
  }
  return {};
}

void check_setup(const CommandContext& context, Checklist& list) {
  bool is_there = ::access(context.kache.c_str(), X_OK) == 0;
  list.row(is_there, "Binary", context.kache, "install kache again");
  std::string recorder = recorder_path(context);
  list.row(::access(recorder.c_str(), R_OK) == 0, "Recorder", recorder, "install kache again");
  if (is_disabled(context.env)) list.row(false, "KACHE_DISABLED", "is set: compilers run as if kache were not there", "unset KACHE_DISABLED");
}

// The file with what is wrong in it, and every value that is not the default.
void check_settings(const CommandContext& context, const std::vector<Setting>& settings, Checklist& list) {
  const Config& config = context.config;
  if (config.problems.empty()) list.row(true, "Configuration", config.file.empty() ? "no file" : config.file);
  for (const std::string& problem : config.problems) {
    list.row(false, "Configuration", problem, "correct it; until then the default is used; kache config check says more");
  }
  std::string ignored = ignored_note(config);
  if (!ignored.empty()) list.note("Configuration", ignored);
  for (const Setting& setting : settings) {
    const Option& option = *setting.option;
    std::string value = value_text(option, shown_value(setting));
    list.note("Setting", std::string(option.name()) + " = " + (value.empty() ? "none" : value) + " (" + setting.where + ")" +
                             (option.is_used() ? "" : ", not used here"));
  }
}

std::vector<Setting> changed_settings(const CommandContext& context) {
  std::vector<Setting> settings = settings_in_force(context);
  std::erase_if(settings, [](const Setting& setting) { return setting.value == setting.standard; });
  return settings;
}

json json_of(const std::vector<Setting>& settings) {
  json list = json::array();
  for (const Setting& setting : settings) {
    list.push_back({{"key", setting.option->name()}, {"value", value_json(*setting.option, shown_value(setting))}, {"source", source_name(setting.source)},
                    {"where", setting.where}});
  }
  return list;
}

void check_store(const CommandContext& context, Checklist& list) {
  const std::string& root = context.layout.root();
  bool exists = context.fs.stat(root).ok();
  bool writable = !exists || ::access(root.c_str(), W_OK) == 0;
  list.row(writable, "Cache dir", root + (exists ? "" : " (will be created by the first build)"),
           "make it writable, or set KACHE_CACHE_DIR");
  std::string network = network_file_system(root);
  list.row(network.empty(), "Cache FS", network.empty() ? "local" : network + " is a network file system",
           "set KACHE_CACHE_DIR to a local path");
  if (!read_boot_id(context.fs).is_known()) {
    list.row(false, "Boot", "the kernel does not say which boot this is; every hit reads what it restores", "mount /proc");
  }
}

json json_of(const std::vector<Way>& ways) {
  json list = json::array();
  for (const Way& way : ways) list.push_back({{"name", way.name}, {"value", way.value}, {"works", way.works}});
  return list;
}

json json_of(const std::vector<FoundCompiler>& compilers) {
  json list = json::array();
  for (const FoundCompiler& compiler : compilers) {
    list.push_back({{"names", compiler.names}, {"path", compiler.path}, {"version", compiler.version}, {"mode", compiler.mode}});
    if (!compiler.why.empty()) list.back()["why"] = compiler.why;
  }
  return list;
}

json json_of(const Checklist& list) {
  json checks = json::array();
  for (const Check& check : list.checks()) {
    checks.push_back({{"label", check.label}, {"status", status_name(check.status)}, {"detail", check.detail}});
    if (!check.fix.empty()) checks.back()["fix"] = check.fix;
  }
  return checks;
}

bool any_works(const std::vector<Way>& ways) {
  for (const Way& way : ways) {
    if (way.works) return true;
  }
  return false;
}

}  // namespace

int run_doctor(const CommandContext& context, const DoctorOptions& options) {
  if (options.verify || options.checksums || options.repair) return verify_store(context, options);
  Checklist list;
  std::vector<Setting> settings = changed_settings(context);
  check_setup(context, list);
  check_settings(context, settings, list);

  std::vector<FoundCompiler> rust = find_rust_compilers(context), cc = find_cc_compilers(context);
  bool has_rust = !rust.empty() || !find_executable(context.fs, "cargo", context.env, context.cwd).empty();
  Checklist cc_rows;  // stand behind those of Rust, which depend on them
  std::vector<Way> cc_ways = check_cc_ways(context, cc_rows);
  std::vector<Way> rust_ways = check_rust_ways(context, has_rust, !cc_ways.empty(), list);
  for (FoundCompiler& compiler : rust) examine(context, compiler, true);
  for (FoundCompiler& compiler : cc) examine(context, compiler, false);
  if (has_rust) list_compilers(rust, true, list);
  list.add(cc_rows);
  sum_up_cc_ways(cc_ways, !cc.empty(), has_rust, list);
  list_compilers(cc, false, list);
  check_store(context, list);
  check_remotes(context, list);

  if (options.json) {
    json report = {{"schema_version", 1}, {"command", "doctor"}, {"kache_version", KACHE_VERSION}, {"issues", list.issues()},
                   {"checks", json_of(list)},
                   {"config_file", context.config.file.empty() ? json() : json(context.config.file)}, {"settings", json_of(settings)},
                   {"rust", {{"found", has_rust}, {"set_up", any_works(rust_ways)}, {"ways", json_of(rust_ways)}, {"compilers", json_of(rust)}}},
                   {"c", {{"found", !cc.empty()}, {"set_up", any_works(cc_ways)}, {"ways", json_of(cc_ways)}, {"compilers", json_of(cc)}}}};
    std::puts(report.dump(2, ' ', false, json::error_handler_t::replace).c_str());
  } else {
    std::printf("  kache v%s\n\n", KACHE_VERSION);
    list.print(::isatty(1) && !context.env.has("NO_COLOR"));
  }
  return options.strict && list.issues() > 0 ? 3 : 0;
}

}  // namespace kache
