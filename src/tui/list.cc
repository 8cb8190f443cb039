#include "tui/list.h"

#include <algorithm>

namespace kache {

bool ListPlace::move(const Key& key, size_t count, size_t page) {
  size_t last = count == 0 ? 0 : count - 1, step = std::max<size_t>(page, 1);
  switch (key.code) {
    case Key::up: cursor -= cursor > 0; break;
    case Key::down: cursor = std::min(cursor + 1, last); break;
    case Key::page_up:
      cursor -= std::min(cursor, step);
      top -= std::min(top, step);
      break;
    case Key::page_down:
      cursor = std::min(cursor + step, last);
      top += step;
      break;
    case Key::home: cursor = 0; break;
    case Key::end: cursor = last; break;
    case Key::wheel_up: scroll(-kWheelRows, count, page); break;
    case Key::wheel_down: scroll(kWheelRows, count, page); break;
    default:
      if (key.is("k")) cursor -= cursor > 0;
      else if (key.is("j")) cursor = std::min(cursor + 1, last);
      else return false;
  }
  settle(count, page);
  return true;
}

void ListPlace::settle(size_t count, size_t page) {
  page = std::max<size_t>(page, 1);
  cursor = count == 0 ? 0 : std::min(cursor, count - 1);
  if (cursor < top) top = cursor;
  if (cursor >= top + page) top = cursor - page + 1;
  // A window that has grown is filled.
  top = std::min(top, count > page ? count - page : 0);
}

void ListPlace::scroll(int rows, size_t count, size_t page) {
  size_t by = static_cast<size_t>(rows < 0 ? -rows : rows), last_top = count > page ? count - page : 0;
  top = rows < 0 ? top - std::min(top, by) : std::min(top + by, last_top);
  cursor = std::clamp(cursor, top, top + std::max<size_t>(page, 1) - 1);
  settle(count, page);
}

std::vector<int> fit_columns(const std::vector<Column>& columns, int room) {
  std::vector<int> widths;
  for (const Column& column : columns) widths.push_back(column.width);
  auto needed = [&] {
    int sum = -2;
    for (int width : widths) sum += width > 0 ? width + 2 : 0;
    return sum;
  };
  for (int worth = 0; worth < 9; ++worth) {
    for (size_t i = columns.size(); i-- > 0 && needed() > room;) {
      if (columns[i].worth == worth) widths[i] = 0;
    }
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].is_wide && widths[i] > 0) widths[i] = std::max(widths[i] + room - needed(), 1);
  }
  return widths;
}

void put_row(Frame& frame, int x, int y, const std::vector<Column>& columns, const std::vector<int>& widths,
             const std::vector<std::string>& cells, const std::vector<Style>& styles) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (widths[i] == 0) continue;
    std::string text = cut_to_width(cells[i], widths[i], columns[i].keeps_end);
    Style style = i < styles.size() ? styles[i] : Style::plain;
    if (columns[i].is_right) frame.put_right(x + widths[i], y, text, style);
    else frame.put(x, y, text, style);
    x += widths[i] + 2;
  }
}

void put_titles(Frame& frame, int x, int y, const std::vector<Column>& columns, const std::vector<int>& widths) {
  std::vector<std::string> titles;
  for (const Column& column : columns) titles.emplace_back(column.title);
  put_row(frame, x, y, columns, widths, titles, std::vector<Style>(columns.size(), Style::title));
}

std::string position(const ListPlace& place, size_t count, size_t page) {
  if (count <= page) return {};
  return std::to_string(place.top + 1) + "-" + std::to_string(std::min(place.top + page, count)) + " of " + std::to_string(count);
}

}  // namespace kache
