#include "wrapper/places.h"

#include <sys/mman.h>

#include <algorithm>
#include <string_view>

#include "base/path.h"
#include "compiler/env_use.h"
#include "key/invocation_key.h"
#include "store/verify.h"

namespace kache {
namespace {

constexpr uint64_t kMaxSourceSize = 256u << 20;
// Shorter values ("1", "dumb") are in any output by chance.
constexpr size_t kTellableSize = 5;
// Shorter paths can not be told from chance once a compiler has cut them into pieces.
constexpr size_t kClearSize = 16;

bool names(const DepInfo& info, std::string_view variable) {
  return std::any_of(info.env.begin(), info.env.end(), [&](const EnvDep& dep) { return dep.name == variable; });
}

}  // namespace

// --- what is looked for ----------------------------------------------------------------------------------------------

Places::Places(FileSystem& fs, const PlaceContext& context) : fs_(fs), context_(context), search_(make_patterns()) {
  // "--jobserver-auth=" of a MAKEFLAGS is in every program that reads one.
  for (const HarmlessPattern& value : harmless_) search_.require_whole(value.pattern);
}

std::vector<std::string> Places::make_patterns() {
  std::vector<std::string> patterns;
  for (const Root& root : context_.roots.all()) {
    // A root inside a stronger one (a registry crate's own directory) is nowhere else than that one says.
    if (context_.roots.map(root.path).root != root.ref) continue;
    roots_.push_back({root.ref, patterns.size()});
    patterns.push_back(root.path);
    patterns.push_back(root.real);
  }
  for (const std::string& name : context_.observed.variables) add_places_of(name, patterns);
  for (const std::string& name : context_.observed.harmless) {
    add_places_of(name, patterns);
    const char* value = context_.line.env.get(name);
    if (!value || std::string_view(value).size() < kTellableSize) continue;
    harmless_.push_back({name, patterns.size()});
    patterns.push_back(value);
  }
  const Invocation& invocation = context_.invocation;
  if (invocation.family != Family::rustc && !invocation.named_outputs.empty()) {
    output_pattern_ = patterns.size();
    patterns.push_back(std::string(base_name(invocation.named_outputs.front().path)));
  }
  return patterns;
}

// Each element of the value that lies in a root, or the value itself.
void Places::add_places_of(const std::string& name, std::vector<std::string>& patterns) {
  std::string_view rest = context_.line.env.get_or_empty(name);
  while (!rest.empty()) {
    size_t colon = rest.find(':');
    std::string_view element = rest.substr(0, colon);
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    if (!is_absolute(element)) continue;
    RootRef root = context_.roots.map(tidy_path(element)).root;
    if (root.kind == RootKind::none) continue;
    variables_.push_back({name, patterns.size(), root, element.size()});
    patterns.emplace_back(element);
  }
}

// --- the search ------------------------------------------------------------------------------------------------------

void Places::search_text(const TextTemplate& text) {
  for (const TemplateToken& token : text) {
    if (token.path.root.kind == RootKind::none) search_.scan(token.path.rest);
  }
}

Status Places::search_file(const std::string& path, uint64_t size_bytes) {
  if (size_bytes == 0) return Ok{};
  File file = KACHE_TRY(open_file(fs_, path));
  void* map = ::mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE, file.handle(), 0);
  if (map == MAP_FAILED) {
    std::string bytes = KACHE_TRY(read_handle(fs_, file.handle(), size_bytes));
    search_.scan(bytes);
    hidden_ |= hides_text(bytes);
    return Ok{};
  }
  std::string_view bytes(static_cast<const char*>(map), size_bytes);
  search_.scan(bytes);
  hidden_ |= hides_text(bytes);
  ::munmap(map, size_bytes);
  return Ok{};
}

// --- what follows from it --------------------------------------------------------------------------------------------

std::vector<std::string> Places::find_variables(bool has_messages) const {
  const Observed& observed = context_.observed;
  std::vector<std::string> variables = observed.variables;
  for (const std::string& name : observed.harmless) {
    if (is_named_by_sources(name) || is_value_found(name)) variables.push_back(name);
  }
  if (has_messages) variables.insert(variables.end(), observed.locale.begin(), observed.locale.end());
  std::sort(variables.begin(), variables.end());
  variables.erase(std::unique(variables.begin(), variables.end()), variables.end());
  return variables;
}

// By env! or option_env!. What dep-info says, or the files that were read, where there is none.
bool Places::is_named_by_sources(const std::string& name) const {
  const Invocation& invocation = context_.invocation;
  if (invocation.purpose == Purpose::probe || invocation.family != Family::rustc) return false;
  if (dep_info_) return names(*dep_info_, name);
  const std::vector<ReadFile>& files = context_.observed.files;
  return std::any_of(files.begin(), files.end(), [&](const ReadFile& file) {
    bool is_crate = is_library_name(base_name(file.path));
    Result<std::string> text = read_file(fs_, file.path, kMaxSourceSize);
    return text.ok() && text->find(is_crate ? name : '"' + name + '"') != std::string::npos;
  });
}

bool Places::is_value_found(const std::string& name) const {
  return std::any_of(harmless_.begin(), harmless_.end(), [&](const HarmlessPattern& value) {
    return value.name == name && search_.found(value.pattern);
  });
}

std::vector<Binding> Places::find_bindings(const std::vector<std::string>& variables) const {
  const Invocation& invocation = context_.invocation;
  bool all = outputs_hide_text() || (invocation.family == Family::rustc && !remaps_paths(invocation, context_.config));
  std::vector<RootRef> bound;
  for (const RootPattern& root : roots_) {
    if (all || search_.found(root.pattern) || search_.found(root.pattern + 1)) bound.push_back(root.root);
  }
  for (const VariablePattern& variable : variables_) {
    if (!std::binary_search(variables.begin(), variables.end(), variable.name)) continue;
    bool unclear = variable.size < kClearSize;
    if (search_.found(variable.pattern) || unclear || may_hide(variable.name)) bound.push_back(variable.root);
  }
  std::sort(bound.begin(), bound.end());
  bound.erase(std::unique(bound.begin(), bound.end()), bound.end());
  std::vector<Binding> bindings;
  for (RootRef ref : bound) bindings.push_back({ref, context_.roots.find(ref)->path});
  return bindings;
}

bool Places::shows_output_name() const { return output_pattern_ && (hidden_ || search_.found(*output_pattern_)); }

// rustc compresses the metadata inside a dylib, so nothing can be said about what it holds.
bool Places::outputs_hide_text() const {
  const Invocation& invocation = context_.invocation;
  const std::vector<std::string>& types = invocation.crate_types;
  if (invocation.purpose == Purpose::probe) return false;
  if (invocation.family != Family::rustc) return hidden_;
  return hidden_ || std::find(types.begin(), types.end(), "dylib") != types.end();
}

// Something of a place may be in the outputs that is not its text: the length of it, a hash. `env!` may make a value of
// the variable in each of its uses but those that only name an included file. What a proc macro asked for shows in the
// code that it made; in metadata alone there is no code to search.
bool Places::may_hide(const std::string& name) const {
  const Invocation& invocation = context_.invocation;
  // To a C compiler they are lists of directories to search.
  if (invocation.purpose == Purpose::probe || invocation.family != Family::rustc) return false;
  bool has_code = std::any_of(invocation.emits.begin(), invocation.emits.end(), [](const Emit& emit) {
    return emit.kind != "metadata" && emit.kind != "dep-info";
  });
  const std::vector<std::string>& path_only = context_.config.path_only_env_vars;
  bool is_path_only = std::find(path_only.begin(), path_only.end(), invocation.crate_name + ":" + name) != path_only.end();
  if (is_path_only) return false;
  if (!dep_info_) return true;
  if (!names(*dep_info_, name)) return !has_code;
  EnvUses all;
  for (const std::string& source : dep_info_->sources) {
    Result<std::string> text = read_file(fs_, absolute_path(context_.line.cwd, source), kMaxSourceSize);
    if (!text.ok()) return true;
    EnvUses uses = find_env_uses(*text, name);
    all.includes += uses.includes;
    all.values += uses.values;
  }
  return all.values > 0 || all.includes == 0;
}

}  // namespace kache
