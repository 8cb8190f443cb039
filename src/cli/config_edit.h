// Changing the configuration file: what `kache config set` and the editor have in common.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/toml_document.h"
#include "config/options.h"

namespace kache {

struct FileText {
  std::string path, text;
  bool exists = false;
};

// The file that is in force, or would be; or the one that is `given`. One that is not there is empty.
Result<FileText> read_to_edit(const CommandContext& context, const std::string& given);
// The old file stays beside the new one, as `backup`.
Status write_edited(const CommandContext& context, const FileText& old, const std::string& text, std::string* backup);

TomlPath path_of(std::string_view key);
// What stands in the file for these words. `invalid`: "a size such as …, not "x"".
Result<std::string> literal_of(const Option& option, const std::vector<std::string>& words, const Env& env);

}  // namespace kache
