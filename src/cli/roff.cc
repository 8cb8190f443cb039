#include "cli/roff.h"

#include <algorithm>

namespace kache {

std::string roff_escaped(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (char c : text) {
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    at_start = c == '\n';
    switch (c) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '"': out += "\\(dq"; break;
      case '\'': out += "\\(aq"; break;
      case '`': out += "\\(ga"; break;
      case '~': out += "\\(ti"; break;
      case '^': out += "\\(ha"; break;
      default: out += c;
    }
  }
  return out;
}

ManPage::ManPage(std::string_view name, int section_number, std::string_view summary) {
  std::string title(name);
  std::transform(title.begin(), title.end(), title.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  line(".TH " + title + " " + std::to_string(section_number) + " \"\" \"kache " KACHE_VERSION "\" \"" +
       (section_number == 1 ? "User Commands" : "File Formats") + "\"");
  section("NAME");
  line(roff_escaped(name) + " \\- " + roff_escaped(summary));
}

std::string ManPage::quoted(std::string_view text) { return "\"" + roff_escaped(text) + "\""; }

void ManPage::paragraphs(std::string_view text) {
  bool shown_as_is = false, is_new = false, is_first = true;
  for (size_t start = 0; start < text.size();) {
    size_t end = std::min(text.find('\n', start), text.size());
    std::string_view one = text.substr(start, end - start);
    start = end + 1;
    if (one.empty()) {
      is_new = true;
      continue;
    }
    bool as_is = one.starts_with("  ");
    if (shown_as_is && !as_is) line(".fi");
    if (!is_first && (is_new || as_is != shown_as_is)) line(".PP");
    if (as_is && !shown_as_is) line(".nf");
    line(roff_escaped(one));
    shown_as_is = as_is;
    is_new = is_first = false;
  }
  if (shown_as_is) line(".fi");
}

void ManPage::item(std::string_view term, std::string_view text) {
  line(".TP\n.B " + roff_escaped(term));
  line(text.empty() ? "\\&" : roff_escaped(text));
}

}  // namespace kache
