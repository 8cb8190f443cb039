#include "compiler/rustc_flags.h"

namespace kache {

static constexpr FlagRow kFlags[] = {
    {"-A", Flag::keyed, true},
    {"--allow", Flag::keyed, true},
    {"-W", Flag::keyed, true},
    {"--warn", Flag::keyed, true},
    {"-D", Flag::keyed, true},
    {"--deny", Flag::keyed, true},
    {"-F", Flag::keyed, true},
    {"--forbid", Flag::keyed, true},
    {"--force-warn", Flag::keyed, true},
    {"--cap-lints", Flag::keyed, true},
    {"--cfg", Flag::cfg, true},
    {"--check-cfg", Flag::cfg, true},
    {"--edition", Flag::keyed, true},
    {"--crate-name", Flag::crate_name, true},
    {"--crate-type", Flag::crate_type, true},
    {"--emit", Flag::emit, true},
    {"--print", Flag::print, true},
    {"--out-dir", Flag::out_dir, true},
    {"-o", Flag::output, true},
    {"--target", Flag::target, true},
    {"-L", Flag::library_dir, true},
    {"-l", Flag::library, true},
    {"--extern", Flag::external, true},
    {"--sysroot", Flag::sysroot, true},
    {"--remap-path-prefix", Flag::remap, true},
    {"--remap-path-scope", Flag::keyed, true},
    {"--env-set", Flag::keyed, true},
    {"-C", Flag::codegen, true},
    {"--codegen", Flag::codegen, true},
    {"-Z", Flag::unstable, true},
    {"--error-format", Flag::error_format, true},
    {"--json", Flag::json, true},
    {"--color", Flag::color, true},
    {"--diagnostic-width", Flag::width, true},
    {"--explain", Flag::explain, true},
    {"--pretty", Flag::pretty, true},
    {"--unpretty", Flag::pretty, true},
    {"--test", Flag::test, false},
    {"-g", Flag::switch_only, false},
    {"-O", Flag::switch_only, false},
    {"-h", Flag::help, false},
    {"--help", Flag::help, false},
    {"-V", Flag::version, false},
    {"--version", Flag::version, false},
    {"-v", Flag::verbose, false},
    {"--verbose", Flag::verbose, false},
};

const FlagRow* find_flag(std::string_view name) {
  for (const FlagRow& row : kFlags) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace kache
