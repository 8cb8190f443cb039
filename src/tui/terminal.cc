#include "tui/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iterator>

#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "tui/mouse.h"

namespace kache {
namespace {

// The handlers may touch nothing but this.
struct Restore {
  termios modes;
  char text[256];  // leaves the other screen, shows the cursor, plain characters
  size_t length = 0;
};
Restore g_restore;
volatile sig_atomic_t g_ending_signal = 0, g_suspend_asked = 0;
SCREEN* g_screen = nullptr;

constexpr int kFatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
constexpr int kEnding[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
constexpr int kStop = SIGTSTP;

void on_fatal(int signal) {
  (void)!::write(STDOUT_FILENO, g_restore.text, g_restore.length);
  (void)::tcsetattr(STDIN_FILENO, TCSANOW, &g_restore.modes);
  (void)::raise(signal);  // the handler is gone by now (SA_RESETHAND)
}

void on_ending(int signal) { g_ending_signal = signal; }
void on_suspend(int) { g_suspend_asked = 1; }

void handle(const int* begin, const int* end, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int* signal = begin; signal != end; ++signal) (void)::sigaction(*signal, &action, nullptr);
}

// We turn the mouse on ourselves: what terminfo says of it differs from machine to machine, and all terminals of today know this.
// Buttons and the wheel, and their reports in the form that has no limit.
constexpr char kMouseOn[] = "\x1b[?1000h\x1b[?1006h", kMouseOff[] = "\x1b[?1006l\x1b[?1000l";
bool g_has_mouse = false;

void tell_terminal(const char* text) { (void)!::write(STDOUT_FILENO, text, ::strlen(text)); }

void add_text(const char* text) {
  for (; *text && g_restore.length < sizeof g_restore.text; ++text) g_restore.text[g_restore.length++] = *text;
}

// A capability of the terminal without the pauses that some ask for: "\x1b[?1049l$<5>".
void add_capability(const char* name) {
  const char* text = ::tigetstr(name);
  if (!text || text == reinterpret_cast<const char*>(-1)) return;
  for (const char* at = text; *at && g_restore.length < sizeof g_restore.text;) {
    const char* close = at[0] == '$' && at[1] == '<' ? ::strchr(at, '>') : nullptr;
    if (close) at = close + 1;
    else g_restore.text[g_restore.length++] = *at++;
  }
}

struct Paint {
  short colour;  // -1: that of the terminal
  attr_t attributes, without_colour;
};
// In the order of Style.
constexpr Paint kPaints[kStyles] = {{-1, A_NORMAL, A_NORMAL}, {-1, A_BOLD, A_BOLD},           {-1, A_DIM, A_NORMAL},
                                    {COLOR_GREEN, 0, A_NORMAL}, {COLOR_YELLOW, 0, A_NORMAL}, {COLOR_RED, 0, A_BOLD},
                                    {COLOR_CYAN, 0, A_UNDERLINE}};

attr_t attributes_of(const Cell& cell, bool has_colours) {
  size_t style = static_cast<size_t>(cell.style);
  const Paint& paint = kPaints[style];
  attr_t attributes = has_colours ? paint.attributes : paint.without_colour;
  if (has_colours && paint.colour >= 0) attributes |= COLOR_PAIR(static_cast<int>(style));
  return cell.is_reversed ? attributes | A_REVERSE : attributes;
}

struct SpecialKey {
  wint_t curses;
  Key::Code code;
};
constexpr SpecialKey kFunctionKeys[] = {
    {KEY_UP, Key::up},        {KEY_DOWN, Key::down}, {KEY_LEFT, Key::left},    {KEY_RIGHT, Key::right},    {KEY_PPAGE, Key::page_up},
    {KEY_NPAGE, Key::page_down}, {KEY_HOME, Key::home}, {KEY_END, Key::end},      {KEY_BTAB, Key::back_tab},  {KEY_BACKSPACE, Key::backspace},
    {KEY_DC, Key::del},       {KEY_ENTER, Key::enter}, {KEY_RESIZE, Key::resize},
};
constexpr SpecialKey kControlKeys[] = {
    {3, Key::quit}, {8, Key::backspace}, {127, Key::backspace}, {9, Key::tab}, {10, Key::enter}, {13, Key::enter}, {19, Key::save}, {27, Key::escape},
};
constexpr wint_t kSuspend = 26;
// Ours, behind all of curses; what follows them is read by us.
constexpr int kMouseReport = KEY_MAX + 1, kOldMouseReport = KEY_MAX + 2;

template <size_t N>
Key find_key(const SpecialKey (&keys)[N], wint_t typed) {
  auto row = std::find_if(std::begin(keys), std::end(keys), [&](const SpecialKey& key) { return key.curses == typed; });
  return row == std::end(keys) ? Key{} : Key{row->code};
}

void suspend() {
  g_suspend_asked = 0;
  if (g_has_mouse) tell_terminal(kMouseOff);
  ::endwin();
  (void)::signal(SIGTSTP, SIG_DFL);
  (void)::raise(SIGTSTP);
  handle(&kStop, &kStop + 1, on_suspend, 0);
  if (g_has_mouse) tell_terminal(kMouseOn);
  ::refresh();
}

// -1: nothing came. A report may come in pieces.
int next_byte() {
  int byte = ::getch();
  if (byte != ERR) return byte;
  pollfd input = {STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, 50) > 0 ? ::getch() : -1;
}

Key read_mouse() {
  constexpr size_t kLongest = 20;
  std::string report;
  while (report.size() < kLongest && !report.ends_with('M') && !report.ends_with('m')) {
    int byte = next_byte();
    if (byte < 0x20 || byte > 0x7E) return {};
    report += static_cast<char>(byte);
  }
  return parse_mouse(report);
}

Key read_old_mouse() {
  unsigned char bytes[3];
  for (unsigned char& byte : bytes) {
    int got = next_byte();
    if (got < 0 || got > 0xFF) return {};
    byte = static_cast<unsigned char>(got);
  }
  return parse_old_mouse(bytes[0], bytes[1], bytes[2]);
}

std::string encode(wint_t character) {
  char bytes[16];
  mbstate_t state = {};
  size_t length = ::wcrtomb(bytes, static_cast<wchar_t>(character), &state);
  return length == static_cast<size_t>(-1) ? "" : std::string(bytes, length);
}

// False: there is nothing to read.
bool read_one(Key& key) {
  wint_t typed = 0;
  int kind = ::get_wch(&typed);
  if (kind == ERR) return false;
  if (kind == KEY_CODE_YES && typed == kMouseReport) key = read_mouse();
  else if (kind == KEY_CODE_YES && typed == kOldMouseReport) key = read_old_mouse();
  else if (kind == KEY_CODE_YES) key = find_key(kFunctionKeys, typed);
  else if (typed == kSuspend) suspend(), key = {Key::resize};
  else if (typed < 0x20 || typed == 0x7F) key = find_key(kControlKeys, typed);
  else if (std::string text = encode(typed); !text.empty()) key = {Key::text, text};
  return true;
}

}  // namespace

bool has_screen(const Env& env) {
  std::string_view term = env.get_or_empty("TERM");
  return ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO) && !term.empty() && term != "dumb";
}

bool has_utf8_locale() {
  (void)::setlocale(LC_CTYPE, "");
  return ::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
}

Result<Terminal> Terminal::open(const Env& env) {
  (void)::setlocale(LC_CTYPE, "");
  (void)::tcgetattr(STDIN_FILENO, &g_restore.modes);
  g_screen = ::newterm(nullptr, stdout, stdin);
  if (!g_screen) {
    std::string term(env.get_or_empty("TERM"));
    return Error{ErrorCode::unsupported, 0, "TERM=" + term + ": this terminal is not known here; try TERM=xterm"};
  }
  g_restore.length = 0;
  add_text(kMouseOff);
  for (const char* name : {"rmcup", "cnorm", "sgr0", "rmkx"}) add_capability(name);
  handle(std::begin(kFatal), std::end(kFatal), on_fatal, SA_RESETHAND | SA_NODEFER);
  handle(std::begin(kEnding), std::end(kEnding), on_ending, 0);
  handle(&kStop, &kStop + 1, on_suspend, 0);
  ::raw();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, true);
  ::nodelay(stdscr, true);
  (void)::set_escdelay(25);
  (void)::curs_set(0);
  bool has_colours = env.get_or_empty("NO_COLOR").empty() && env.get_or_empty("CLICOLOR") != "0" && ::has_colors();
  if (has_colours) {
    (void)::start_color();
    (void)::use_default_colors();
    for (size_t i = 1; i < kStyles; ++i) (void)::init_pair(static_cast<short>(i), kPaints[i].colour, -1);
  }
  return Terminal(has_colours, has_utf8_locale());
}

Terminal::Terminal(Terminal&& other) noexcept
    : is_open_(std::exchange(other.is_open_, false)), has_colours_(other.has_colours_), has_utf8_(other.has_utf8_) {}

void Terminal::close() {
  if (!is_open_) return;
  use_mouse(false);
  is_open_ = false;
  ::endwin();
  ::delscreen(g_screen);
  g_screen = nullptr;
  for (int signal : kFatal) (void)::signal(signal, SIG_DFL);
  for (int signal : kEnding) (void)::signal(signal, SIG_DFL);
  (void)::signal(kStop, SIG_DFL);
}

int Terminal::width() const { return getmaxx(stdscr); }
int Terminal::height() const { return getmaxy(stdscr); }
int Terminal::ended_by_signal() const { return g_ending_signal ? 128 + g_ending_signal : 0; }

void Terminal::show(const Frame& given) {
  Frame frame = has_utf8_ ? given : to_ascii(given);
  ::erase();
  for (int y = 0; y < std::min(frame.height(), height()); ++y) {
    (void)::move(y, 0);
    for (int x = 0; x < std::min(frame.width(), width());) {
      const Cell& first = frame.at(x, y);
      attr_t attributes = attributes_of(first, has_colours_);
      std::string run;
      for (; x < frame.width() && attributes_of(frame.at(x, y), has_colours_) == attributes; ++x) run += frame.at(x, y).text;
      (void)::attrset(static_cast<int>(attributes));
      (void)::addnstr(run.c_str(), static_cast<int>(run.size()));
    }
  }
  (void)::attrset(0);
  ::refresh();
}

void Terminal::use_mouse(bool wanted) {
  if (wanted == g_has_mouse) return;
  g_has_mouse = wanted;
  (void)::define_key("\x1b[<", kMouseReport);
  (void)::define_key("\x1b[M", kOldMouseReport);
  tell_terminal(wanted ? kMouseOn : kMouseOff);
}

Key Terminal::read_key(int timeout_ms) {
  Key key;
  if (g_ending_signal) return {Key::quit};
  if (g_suspend_asked) return suspend(), Key{Key::resize};
  if (read_one(key)) return key;
  pollfd input = {STDIN_FILENO, POLLIN, 0};
  int ready = ::poll(&input, 1, timeout_ms);
  if (g_ending_signal) return {Key::quit};
  if (read_one(key)) return key;
  // A terminal that has gone is always "ready".
  bool is_gone = ready > 0 && (input.revents & (POLLHUP | POLLERR | POLLNVAL));
  return is_gone ? Key{Key::quit} : Key{};
}

}  // namespace kache
