// The terminal, through ncurses: shows frames and reads keys. Whatever ends the program, the terminal is given back as it was.
// There is one at a time.
#pragma once

#include "base/env.h"
#include "base/result.h"
#include "tui/frame.h"
#include "tui/key.h"

namespace kache {

// Both sides are a terminal, and one that can move its cursor.
bool has_screen(const Env& env);
// Of the locale that the environment names.
bool has_utf8_locale();

class Terminal {
 public:
  // `unsupported` where TERM names no terminal that is known.
  static Result<Terminal> open(const Env& env);
  Terminal(Terminal&& other) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal() { close(); }
  // Gives it back. Nothing can be shown afterwards.
  void close();

  int width() const;
  int height() const;
  void show(const Frame& frame);
  // Whether clicks and the wheel come to us as keys; off at first. While they do, the terminal selects no text (most do with Shift).
  void use_mouse(bool wanted);
  // Waits for so long at most.
  Key read_key(int timeout_ms);
  // 128 + the signal that asked us to end; 0 without one.
  int ended_by_signal() const;

 private:
  Terminal(bool has_colours, bool has_utf8) : is_open_(true), has_colours_(has_colours), has_utf8_(has_utf8) {}
  bool is_open_, has_colours_, has_utf8_;
};

}  // namespace kache
