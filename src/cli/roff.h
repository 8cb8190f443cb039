// Writes a page of the manual in the language of man(7). Text may hold anything: what roff would take for commands is escaped.
#pragma once

#include <string>
#include <string_view>

namespace kache {

std::string roff_escaped(std::string_view text);

class ManPage {
 public:
  ManPage(std::string_view name, int section, std::string_view summary);

  void section(std::string_view heading) { line(".SH " + quoted(heading)); }
  void subsection(std::string_view heading) { line(".SS " + quoted(heading)); }
  // Words in the form of a command line: bold.
  void bold_line(std::string_view text) { line(".B " + roff_escaped(text)); }
  void new_line() { line(".br"); }
  // Paragraphs apart by empty lines; lines that begin with two spaces are shown as they are.
  void paragraphs(std::string_view text);
  // A term, and below it what it is.
  void item(std::string_view term, std::string_view text);

  const std::string& text() const { return out_; }

 private:
  static std::string quoted(std::string_view text);
  void line(const std::string& text) { out_ += text + "\n"; }
  std::string out_;
};

}  // namespace kache
