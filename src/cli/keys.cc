#include <cstdio>

#include "base/path.h"
#include "cli/command.h"
#include "remote/signing.h"

namespace kache {
namespace {

std::string default_path(const CommandContext& context) {
  std::string_view config = context.env.get_or_empty("XDG_CONFIG_HOME"), home = context.env.get_or_empty("HOME");
  if (is_absolute(config)) return join_path(config, "kache/signing.key");
  return is_absolute(home) ? join_path(home, ".config/kache/signing.key") : "";
}

std::string chosen_path(const CommandContext& context, const KeysOptions& options) {
  if (!options.file.empty()) return absolute_path(context.cwd, options.file);
  return context.config.sign_with.empty() ? default_path(context) : context.config.sign_with;
}

}  // namespace

int run_keys_generate(const CommandContext& context, const KeysOptions& options) {
  std::string path = options.file.empty() ? default_path(context) : absolute_path(context.cwd, options.file);
  if (path.empty()) return fail("HOME is not set; name a file");
  Status made = make_dirs(context.fs, std::string(dir_name(path)), 0700);
  if (!made.ok()) return fail(made.error().message);
  SigningKey key = SigningKey::generate();
  // Never over another one: what it signed could not be told from a stranger's any more.
  Status written = context.fs.create(path, key.text(options.comment), 0600);
  if (!written.ok() && written.code() == ErrorCode::exists) return fail(path + " is there already; name another file");
  if (!written.ok()) return fail(written.error().message);
  std::fprintf(stderr, "The secret key is in %s. Keep it where results are made:\n  kache config set remote.sign_with %s\n"
                       "Whoever is to believe them:\n  kache config set remote.trusted_keys %s\n",
               path.c_str(), path.c_str(), key.public_key().text().c_str());
  std::printf("%s\n", key.public_key().text().c_str());
  return 0;
}

int run_keys_show(const CommandContext& context, const KeysOptions& options) {
  std::string path = chosen_path(context, options);
  Result<SigningKey> key = SigningKey::load(path);
  if (!key.ok() && key.code() == ErrorCode::not_found) return fail(path + ": no key; `kache keys generate` makes one");
  if (!key.ok()) return fail(key.error().message);
  std::printf("%s\n", key->public_key().text().c_str());
  return 0;
}

}  // namespace kache
