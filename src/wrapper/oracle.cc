#include "wrapper/oracle.h"

#include "store/blob.h"
#include "store/render.h"
#include "store/restore.h"

namespace kache {
namespace {

constexpr uint64_t kMaxTextSize = 64u << 20;

bool is_equal(FileSystem& fs, const Output& output, const std::string& path, const Invocation& invocation, const Roots& roots) {
  Result<FileStat> stat = fs.lstat(path);
  if (!stat.ok() || !stat->is_regular() || stat->is_executable() != ((output.mode & 0111) != 0)) return false;
  if (output.content == OutputContent::text) {
    Result<std::string> bytes = read_file(fs, path, kMaxTextSize);
    return bytes.ok() && *bytes == render_output(output, invocation, roots);
  }
  Result<File> file = open_file(fs, path);
  if (!file.ok()) return false;
  Result<Digest> digest = digest_file(fs, file->handle());
  return digest.ok() && *digest == output.blob.digest;
}

}  // namespace

bool checks_hits(const Env& env) { return env.get_or_empty("KACHE_CHECK_HITS") == "1"; }

std::vector<std::string> compare_with_compile(FileSystem& fs, const Entry& entry, const ProcessResult& process,
                                              const Invocation& invocation, const std::string& cwd, const Roots& roots) {
  std::vector<std::string> wrong;
  if (!process.succeeded()) wrong.push_back("exit status");
  for (const Output& output : entry.outputs) {
    if (!is_equal(fs, output, output_path(output, invocation, cwd), invocation, roots)) wrong.push_back(output.name);
  }
  if (process.standard_output != render_template(entry.standard_output, roots)) wrong.push_back("stdout");
  if (process.standard_error != render_template(entry.standard_error, roots)) wrong.push_back("stderr");
  return wrong;
}

}  // namespace kache
