#include "compiler/cc_languages.h"

#include "base/path.h"

namespace kache {
namespace {

struct ExtensionRow {
  std::string_view extension;
  std::string_view language;
};

// GCC's manual, "Overall Options", and clang's driver/Types.def. Case matters.
constexpr ExtensionRow kExtensions[] = {
    {"c", "c"}, {"i", "cpp-output"}, {"ii", "c++-cpp-output"}, {"m", "objective-c"}, {"mi", "objective-c-cpp-output"},
    {"mm", "objective-c++"}, {"M", "objective-c++"}, {"mii", "objective-c++-cpp-output"},
    {"cc", "c++"}, {"cp", "c++"}, {"cxx", "c++"}, {"cpp", "c++"}, {"CPP", "c++"}, {"c++", "c++"}, {"C", "c++"},
    {"h", "c-header"}, {"H", "c++-header"}, {"hh", "c++-header"}, {"hp", "c++-header"}, {"hxx", "c++-header"},
    {"hpp", "c++-header"}, {"HPP", "c++-header"}, {"h++", "c++-header"}, {"tcc", "c++-header"},
    {"ixx", "c++-module"}, {"cppm", "c++-module"}, {"ccm", "c++-module"}, {"cxxm", "c++-module"}, {"c++m", "c++-module"}, {"pcm", "pcm"},
    {"s", "assembler"}, {"S", "assembler-with-cpp"}, {"sx", "assembler-with-cpp"},
    {"ll", "ir"}, {"bc", "ir"},
    {"f", "f77"}, {"for", "f77"}, {"ftn", "f77"}, {"F", "f77-cpp-input"}, {"FOR", "f77-cpp-input"}, {"fpp", "f77-cpp-input"},
    {"f90", "f95"}, {"f95", "f95"}, {"f03", "f95"}, {"f08", "f95"}, {"F90", "f95-cpp-input"}, {"F95", "f95-cpp-input"},
    {"F03", "f95-cpp-input"}, {"F08", "f95-cpp-input"},
    {"cu", "cuda"}, {"hip", "hip"}, {"d", "d"}, {"go", "go"}, {"adb", "ada"}, {"ads", "ada"},
};

constexpr std::string_view kPreprocessed[] = {"cpp-output", "c++-cpp-output", "objective-c-cpp-output",
                                              "objective-c++-cpp-output", "assembler", "ir", "pcm"};

}  // namespace

std::string_view cc_language_of(std::string_view path) {
  std::string_view name = base_name(path);
  size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  std::string_view extension = name.substr(dot + 1);
  for (const ExtensionRow& row : kExtensions) {
    if (row.extension == extension) return row.language;
  }
  return {};
}

bool is_cc_header(std::string_view language) { return language.ends_with("-header"); }

bool is_cc_preprocessed(std::string_view language) {
  for (std::string_view known : kPreprocessed) {
    if (known == language) return true;
  }
  return false;
}

}  // namespace kache
