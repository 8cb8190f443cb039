// `kache monitor`: feeds that look at the world, each in a thread of its own, and the screen that shows what they found.
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "clean/scan.h"
#include "cli/command.h"
#include "cli/doctor.h"
#include "index/line_tail.h"
#include "tui/monitor_screen.h"
#include "tui/terminal.h"

namespace kache {
namespace {

using std::chrono::milliseconds;

// What the feeds have found and the screen has not taken yet: changes to its data, in order.
class Inbox {
 public:
  void put(std::function<void(MonitorData&)> change) {
    std::lock_guard lock(mutex_);
    changes_.push_back(std::move(change));
  }
  void take_into(MonitorData& data) {
    std::vector<std::function<void(MonitorData&)>> changes;
    {
      std::lock_guard lock(mutex_);
      changes.swap(changes_);
    }
    for (const auto& change : changes) change(data);
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void(MonitorData&)>> changes_;
};

// A thread that does something again and again until it is told to end, and at once when it is asked to.
class Feed {
 public:
  // `work` returns how long to rest.
  explicit Feed(std::function<milliseconds(const std::atomic<bool>& stop)> work)
      : thread_([this, work = std::move(work)] {
          std::unique_lock lock(mutex_);
          while (!stop_) {
            is_asked_ = false;
            lock.unlock();
            milliseconds rest = work(stop_);
            lock.lock();
            wake_.wait_for(lock, rest, [&] { return stop_ || is_asked_; });
          }
        }) {}
  ~Feed() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  void ask() {
    {
      std::lock_guard lock(mutex_);
      is_asked_ = true;
    }
    wake_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stop_ = false;
  bool is_asked_ = false;
  std::thread thread_;
};

// --- the logs ---

class LogFeed {
 public:
  LogFeed(const CommandContext& context, int64_t since_ns)
      : events_(context.fs, context.layout.events()), transfers_(context.fs, context.layout.root() + "/transfers.jsonl"), since_ns_(since_ns) {}

  void look(Inbox& inbox) {
    Result<std::vector<std::string>> lines = events_.poll();
    if (lines.ok() && !lines->empty()) take_events(*lines, inbox);
    Result<std::vector<std::string>> moved = transfers_.poll();
    if (moved.ok() && !moved->empty()) take_transfers(*moved, inbox);
  }

 private:
  void take_events(const std::vector<std::string>& lines, Inbox& inbox) {
    std::vector<std::function<void(MonitorData&)>> changes;
    for (const std::string& line : lines) {
      BuildEvent event;
      Heartbeat beat;
      if (parse_event(line, event)) {
        if (event.end_ns >= since_ns_) changes.push_back([event = std::move(event)](MonitorData& data) { add_event(data, event); });
      } else if (parse_heartbeat(line, beat) && beat.at_ns >= since_ns_) {
        changes.push_back([beat](MonitorData& data) { add_heartbeat(data, beat); });
      }
    }
    inbox.put([changes = std::move(changes)](MonitorData& data) {
      for (const auto& change : changes) change(data);
    });
  }

  void take_transfers(const std::vector<std::string>& lines, Inbox& inbox) {
    std::vector<Transfer> found;
    for (const std::string& line : lines) {
      Transfer transfer;
      if (parse_transfer(line, transfer) && transfer.timestamp >= since_ns_ / 1'000'000'000) found.push_back(std::move(transfer));
    }
    inbox.put([found = std::move(found)](MonitorData& data) {
      for (const Transfer& one : found) add_transfer(data, one);
    });
  }

  LineTail events_, transfers_;
  int64_t since_ns_;
};

// --- the store ---

class StoreFeed {
 public:
  explicit StoreFeed(const CommandContext& context) : context_(context), events_(context.fs, context.layout.events()) {}

  void look(Inbox& inbox) {
    bool has_news = count_hits() || is_first_;
    Pace pace;
    StoreIndex index = StoreIndex::open(context_.fs, context_.clock, context_.layout);
    Status done = index.refresh(RefreshDepth::members, pace);
    StoreTotals totals = index.totals();
    has_news |= totals.entries != last_.entries || totals.entry_bytes != last_.entry_bytes || totals.blob_bytes != last_.blob_bytes;
    if (done.ok() && !has_news) return;
    is_first_ = !done.ok();
    last_ = totals;
    std::vector<IndexedEntry> entries;
    if (done.ok()) {
      StoreIndex::Hits hits(hits_.begin(), hits_.end());
      done = index.each_entry("", ListOrder::size, hits, [&](const IndexedEntry& entry) {
        if (entries.size() >= kMostEntries) return;
        entries.push_back(entry);
        Result<FileStat> stat = context_.fs.lstat(context_.layout.entry(entry.key));
        if (stat.ok()) entries.back().last_used_ns = stat->mtime_ns;
      });
    }
    inbox.put([problem = done.ok() ? "" : done.error().message, totals, entries = std::move(entries)](MonitorData& data) {
      data.store_problem = problem;
      data.store = totals;
      data.entries = entries;
      data.has_store = true;
    });
  }

 private:
  // True: there were more.
  bool count_hits() {
    Result<std::vector<std::string>> lines = events_.poll();
    if (!lines.ok()) return false;
    bool has_more = false;
    for (const std::string& line : *lines) {
      BuildEvent event;
      Digest key;
      if (!parse_event(line, event) || !event.is_hit() || !Digest::parse_hex(event.cache_key, key)) continue;
      ++hits_[key];
      has_more = true;
    }
    return has_more;
  }

  const CommandContext& context_;
  LineTail events_;
  std::map<Digest, uint64_t> hits_;
  StoreTotals last_;
  bool is_first_ = true;
};

// --- the build directories ---

void scan_projects(const CommandContext& context, Inbox& inbox, const std::atomic<bool>& stop) {
  inbox.put([](MonitorData& data) { data.is_scanning = true; });
  ScanRequest request;
  request.roots = {context.cwd};
  request.store = context.config.cache_dir;
  request.stop = &stop;
  Result<ScanResult> found = find_build_dirs(request);
  if (stop) return;
  inbox.put([found = std::move(found)](MonitorData& data) {
    data.is_scanning = false;
    data.was_scanned = true;
    data.scan_problem = found.ok() ? "" : found.error().message;
    if (found.ok()) data.projects = found->dirs;
  });
}

// --- how builds come to kache ---

void check_ways(const CommandContext& context, Inbox& inbox) {
  Checklist unused;
  std::string works, broken;
  std::vector<Way> cc_ways = check_cc_ways(context, unused);
  std::vector<Way> ways = check_rust_ways(context, true, !cc_ways.empty(), unused);
  ways.insert(ways.end(), cc_ways.begin(), cc_ways.end());
  for (const Way& way : ways) {
    std::string& text = way.works ? works : broken;
    std::string shown = way.name == "events" ? "lately used for " + way.value : way.name + "=" + way.value;
    text += (text.empty() ? "" : ", ") + shown;
  }
  bool is_set_up = !works.empty();
  std::string text = is_set_up ? works : broken.empty() ? "no build goes through kache here; see kache doctor" : broken + " does not work; see kache doctor";
  inbox.put([text, is_set_up](MonitorData& data) {
    data.wrapper = text;
    data.is_set_up = is_set_up;
  });
}

// --- why it missed ---

// The last question that was asked, until it is taken.
class Question {
 public:
  void ask(const std::string& unit) {
    std::lock_guard lock(mutex_);
    unit_ = unit;
  }
  std::string take() {
    std::lock_guard lock(mutex_);
    return std::exchange(unit_, "");
  }

 private:
  std::mutex mutex_;
  std::string unit_;
};

void explain(const CommandContext& context, const std::string& unit, Inbox& inbox) {
  Result<std::string> text = why_miss_text(context, unit);
  inbox.put([unit, text = text.ok() ? *text : text.error().message](MonitorData& data) {
    data.explained = {unit, text, true};
  });
}

// --- the screen ---

int run_screen(const CommandContext& context, MonitorData data, int64_t since_ns, bool has_mouse) {
  Result<Terminal> terminal = Terminal::open(context.env);
  if (!terminal.ok()) return fail(terminal.error().message);
  Inbox inbox, answers;  // an answer is taken also while the rest is paused
  LogFeed logs(context, since_ns);
  StoreFeed store(context);
  Question question;
  std::atomic<bool> shows_projects = false, is_paused = false;
  int64_t scan_after_ns = 0;
  std::atomic<bool> is_scan_asked = false;
  Feed log_feed([&](const std::atomic<bool>&) {
    if (!is_paused) logs.look(inbox);
    return milliseconds(250);
  });
  Feed store_feed([&](const std::atomic<bool>&) {
    int64_t start = context.clock.monotonic_ns();
    if (!is_paused) store.look(inbox);
    // A large store is looked at less often.
    return std::max(milliseconds(2000), milliseconds((context.clock.monotonic_ns() - start) / 1'000'000 * 10));
  });
  Feed ways_feed([&](const std::atomic<bool>&) {
    check_ways(context, inbox);
    return milliseconds(60'000);
  });
  Feed project_feed([&](const std::atomic<bool>& stop) {
    int64_t start = context.clock.monotonic_ns();
    bool is_due = shows_projects && start >= scan_after_ns && !is_paused;
    if (!is_due && !is_scan_asked) return milliseconds(200);
    is_scan_asked = false;
    scan_projects(context, inbox, stop);
    int64_t end = context.clock.monotonic_ns();
    // Every ten seconds, and no more than a tenth of the time.
    scan_after_ns = end + std::max<int64_t>(10'000'000'000, (end - start) * 10);
    return milliseconds(200);
  });
  Feed why_feed([&](const std::atomic<bool>&) {
    std::string unit = question.take();
    if (!unit.empty()) explain(context, unit, answers);
    return milliseconds(60'000);
  });
  MonitorScreen screen;
  screen.has_mouse = has_mouse;
  for (;;) {
    if (!screen.is_paused) inbox.take_into(data);
    answers.take_into(data);
    int64_t now = context.clock.wall_ns();
    if (!screen.is_paused) drop_silent(data, now);
    shows_projects = screen.tab == kProjectsTab;
    is_paused = screen.is_paused;
    terminal->use_mouse(screen.has_mouse);
    terminal->show(draw(screen, data, terminal->width(), terminal->height(), now));
    MonitorAnswer answer = press(screen, data, terminal->read_key(250), terminal->width(), terminal->height());
    if (answer == MonitorAnswer::quit) break;
    if (answer == MonitorAnswer::clear) clear_events(data);
    if (answer == MonitorAnswer::explain) data.explained = {screen.asked, "", false}, question.ask(screen.asked), why_feed.ask();
    if (answer == MonitorAnswer::rescan) is_scan_asked = true, data.is_scanning = true, project_feed.ask(), store_feed.ask();
  }
  terminal->close();
  // The first look at a large store takes long. It is a transaction of SQLite, and nobody who quits has to wait for it.
  std::_Exit(terminal->ended_by_signal());
}

int print_snapshot(const CommandContext& context, MonitorData data, int64_t since_ns) {
  Inbox inbox;
  LogFeed(context, since_ns).look(inbox);
  StoreFeed(context).look(inbox);
  check_ways(context, inbox);
  inbox.take_into(data);
  int64_t now = context.clock.wall_ns();
  drop_silent(data, now);
  std::string text = monitor_text(data, now);
  std::fputs((has_utf8_locale() ? text : to_ascii(text)).c_str(), stdout);
  return 0;
}

}  // namespace

int run_monitor(const CommandContext& context, const MonitorOptions& options) {
  Result<int64_t> span = parse_duration(options.since);
  if (!span.ok()) return fail("--since " + span.error().message), 2;
  MonitorData data;
  data.cwd = context.cwd;
  data.cache_dir = context.config.cache_dir;
  data.since = options.since;
  data.store_limit = context.config.local_max_size;
  data.heartbeat_secs = context.config.heartbeat_secs;
  int64_t since_ns = context.clock.wall_ns() - *span;
  if (!has_screen(context.env)) return print_snapshot(context, std::move(data), since_ns);
  return run_screen(context, std::move(data), since_ns, !options.no_mouse);
}

}  // namespace kache
