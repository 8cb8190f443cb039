#include <cstdio>

#include "base/path.h"
#include "cli/cargo_config.h"
#include "cli/command.h"

namespace kache {

int run_init(const CommandContext& context, const InitOptions& options) {
  std::string cargo_home(context.env.get_or_empty("CARGO_HOME"));
  if (cargo_home.empty()) cargo_home = join_path(context.env.get_or_empty("HOME"), ".cargo");
  if (!is_absolute(cargo_home)) return fail("neither CARGO_HOME nor HOME is set; set one of them");
  std::string path = cargo_home + "/config.toml";
  // Cargo reads the old name too, and only one of them.
  if (!context.fs.stat(path).ok() && context.fs.stat(cargo_home + "/config").ok()) path = cargo_home + "/config";

  std::string old;
  Result<std::string> text = read_file(context.fs, path, 16u << 20);
  if (text.ok()) old = *text;
  else if (text.code() != ErrorCode::not_found) return fail(text.error().message);
  Result<CargoEdit> edit = set_rustc_wrapper(old, context.kache);
  if (!edit.ok()) return fail(path + ": " + edit.error().message);

  if (edit->kind == CargoEdit::already_set) {
    std::printf("%s already uses %s.\n", path.c_str(), context.kache.c_str());
    return 0;
  }
  std::printf("%s: set rustc-wrapper = \"%s\"\n", path.c_str(), context.kache.c_str());
  if (edit->kind == CargoEdit::replace) std::printf("  instead of \"%s\"\n", edit->old_value.c_str());
  if (options.check) {
    std::puts("Nothing was changed; run again without --check to apply.");
    return 0;
  }
  if (!options.yes && !ask("Change it?", true)) return fail("nothing was changed; answer y, or use --yes");
  Status made = make_dirs(context.fs, cargo_home, 0777);
  if (!made.ok()) return fail(made.error().message);
  if (text.ok()) {
    Result<std::string> backup = keep_backup(context, path, old, 0600);
    if (!backup.ok()) return fail(backup.error().message);
    std::printf("  the old file is %s\n", backup->c_str());
  }
  Result<FileStat> before = context.fs.stat(path);
  Status written = replace_file(context.fs, path, edit->text, before.ok() ? before->mode & 0777 : 0666);
  if (!written.ok()) return fail(written.error().message);
  std::puts("Done. cargo build now goes through kache.");
  return 0;
}

}  // namespace kache
