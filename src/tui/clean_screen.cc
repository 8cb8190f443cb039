#include "tui/clean_screen.h"

#include <algorithm>
#include <set>

#include "tui/words.h"
#include "wrapper/progress.h"

namespace kache {
namespace {

constexpr int kDetailLines = 4, kFewestForDetail = 13;
constexpr const char* kOrders[] = {"size", "path", "age"};

const std::vector<Column> kColumns = {{"   ", 3},
                                      {"Directory", 12, false, true, 9, true},
                                      {"Kind", 5, false, false, 3},
                                      {"Size", 10, true},
                                      {"Cached", 10, true, false, 2},
                                      {"Frees", 10, true, false, 5},
                                      {"Age", 4, true, false, 4},
                                      {"Profiles", 16, false, false, 1}};

// Titles, the keys, and the detail below a rule where there is room.
int detail_lines(int height) { return height >= kFewestForDetail ? kDetailLines + 1 : 0; }
size_t list_lines(int height) { return static_cast<size_t>(std::max(height - 3 - detail_lines(height), 1)); }

std::string labels_of(const BuildDir& dir) {
  std::string text;
  for (const std::string& label : dir.labels) text += (text.empty() ? "" : ", ") + label;
  return text;
}

// The order changes, what is chosen does not.
void sort_screen(CleanScreen& screen, CleanOrder order) {
  auto identity = [](const BuildDir& dir) { return std::pair(dir.dev, dir.ino); };
  std::set<std::pair<uint64_t, uint64_t>> marked;
  for (size_t i = 0; i < screen.dirs.size(); ++i) {
    if (screen.chosen[i]) marked.insert(identity(screen.dirs[i]));
  }
  screen.order = order;
  sort_dirs(screen.dirs, order);
  for (size_t i = 0; i < screen.dirs.size(); ++i) screen.chosen[i] = marked.contains(identity(screen.dirs[i]));
  screen.place = {};
}

void choose_all(CleanScreen& screen, bool are_chosen) {
  for (size_t i = 0; i < screen.dirs.size(); ++i) screen.chosen[i] = are_chosen && screen.dirs[i].is_removable();
}

void draw_row(Frame& frame, int y, const CleanScreen& screen, size_t i, const std::vector<int>& widths) {
  const BuildDir& dir = screen.dirs[i];
  bool is_chosen = screen.chosen[i];
  Style style = is_chosen ? Style::bad : dir.is_removable() ? Style::plain : Style::dim;
  std::string path = shown_path(dir.path, screen.cwd);
  std::vector<std::string> cells = {is_chosen ? "[x]" : dir.is_removable() ? "[ ]" : "[-]", path, kind_name(dir.kind)};
  if (dir.is_removable()) {
    std::string labels = labels_of(dir);
    cells.insert(cells.end(), {format_size(dir.total), format_size(dir.cached), format_size(dir.frees), short_age(dir.newest_ns, screen.now_ns), labels});
  } else {
    cells.insert(cells.end(), {"stays", "", "", "", ""});
  }
  put_row(frame, 0, y, kColumns, widths, cells, std::vector<Style>(kColumns.size(), style));
  if (i == screen.place.cursor) frame.reverse(y);
}

void draw_detail(Frame& frame, int y, const BuildDir& dir) {
  frame.put(0, y++, std::string(dir.path), Style::title);
  if (!dir.is_removable()) return (void)frame.put(0, y, "stays: " + dir.obstacle, Style::warn);
  int x = frame.put(0, y, format_size(dir.total) + " in all, " + format_size(dir.cached) + " cached (" + share(dir.cached, dir.total) + "), frees ");
  frame.put(x, y++, format_size(dir.frees), Style::warn);
  x = 0;
  for (size_t i = 0; i < kParts; ++i) {
    if (dir.parts[i] == 0) continue;
    std::string text = std::string(part_name(static_cast<Part>(i))) + " " + format_size(dir.parts[i]);
    if (x > 0 && x + display_width(text) > frame.width()) x = 0, ++y;
    x = frame.put(x, y, text + "  ", dir.parts_freed[i] > 0 ? Style::warn : Style::dim);
  }
}

}  // namespace

CleanScreen::CleanScreen(std::vector<BuildDir> found, std::string where, int64_t now)
    : dirs(std::move(found)), chosen(dirs.size(), false), cwd(std::move(where)), now_ns(now) {}

CleanAnswer press(CleanScreen& screen, const Key& key, int height) {
  if (key.code == Key::quit) return CleanAnswer::cancel;
  size_t count = screen.dirs.size(), page = list_lines(height);
  if (key.code == Key::resize) return screen.place.settle(count, page), CleanAnswer::none;
  if (screen.is_asking) {
    if (key.is("y") || key.is("Y")) return CleanAnswer::remove;
    if (key.code != Key::none) screen.is_asking = false;
    return CleanAnswer::none;
  }
  if (screen.place.move(key, count, page)) return CleanAnswer::none;
  if (key.is("q") || key.code == Key::escape) return CleanAnswer::cancel;
  if (key.is("a")) choose_all(screen, true);
  if (key.is("n")) choose_all(screen, false);
  if (key.is("s")) sort_screen(screen, static_cast<CleanOrder>((static_cast<size_t>(screen.order) + 1) % std::size(kOrders)));
  if (key.is(" ") && count > 0) {
    size_t at = screen.place.cursor;
    screen.chosen[at] = !screen.chosen[at] && screen.dirs[at].is_removable();
    screen.place.move({Key::down}, count, page);
  }
  // With nothing chosen there is nothing to ask.
  if (key.code == Key::enter) screen.is_asking = estimate(screen.dirs, screen.chosen).count > 0;
  return CleanAnswer::none;
}

Frame draw(const CleanScreen& given, int width, int height) {
  CleanScreen screen = given;
  size_t count = screen.dirs.size(), page = list_lines(height);
  screen.place.settle(count, page);
  Frame frame(width, height);
  Estimate all = estimate(screen.dirs, std::vector<bool>(count, true)), sum = estimate(screen.dirs, screen.chosen);
  int x = frame.put(0, 0, std::to_string(count) + " dirs (" + format_size(all.total) + " total, " + format_size(all.cached) + " cached)", Style::title);
  frame.put(x, 0, "    Selected: " + std::to_string(sum.count) + " (est. " + format_size(sum.frees) + ")", sum.count ? Style::warn : Style::plain);
  std::vector<int> widths = fit_columns(kColumns, width);
  put_titles(frame, 0, 1, kColumns, widths);
  for (size_t i = screen.place.top; i < std::min(screen.place.top + page, count); ++i) {
    draw_row(frame, 2 + static_cast<int>(i - screen.place.top), screen, i, widths);
  }
  int rule = 2 + static_cast<int>(page);
  if (detail_lines(height) > 0 && count > 0) {
    for (int column = 0; column < width; ++column) frame.put(column, rule, "─", Style::dim);
    draw_detail(frame, rule + 1, screen.dirs[screen.place.cursor]);
  }
  int last = height - 1;
  if (screen.is_asking) {
    std::string question = "Remove " + counted(sum.count, "directory", "directories") + ", about " + format_size(sum.frees) + "? (y/n)";
    if (display_width(question) > width) question = "Remove " + std::to_string(sum.count) + ", " + format_size(sum.frees) + "? (y/n)";
    frame.put(0, last, question, Style::bad);
    return frame;
  }
  std::string keys = "Space choose  a all  n none  s sort: " + std::string(kOrders[static_cast<size_t>(screen.order)]) + "  Enter remove  q cancel";
  std::string where = position(screen.place, count, page);
  frame.put_cut(0, last, width - display_width(where) - 1, keys, Style::dim);
  frame.put_right(width, last, where, Style::dim);
  return frame;
}

}  // namespace kache
