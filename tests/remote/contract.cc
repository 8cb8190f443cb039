// What every engine of a remote promises, run on one that a test has started:
//
//   kache_remote_contract URL [--without if_absent,if_version,list,remove,times,streaming] [--only CHECK]
//       all checks, one line each; exit status 1 when one fails
//   kache_remote_contract URL --do get|put|has|list|remove [--deadline-ms N] [--cancel-ms N] [--max-bytes N] [--size N]
//       one call: "ok ..." or "<code>: <message>", and behind it how long it took
//
// Credentials come from the environment, as they do for kache.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "remote/remote_spec.h"

using namespace kache;

namespace {

constexpr int64_t kMs = 1'000'000;
constexpr const char* kCodeNames[] = {"not_found", "exists",  "corrupt",   "unsupported", "denied", "no_space",
                                      "busy",      "invalid", "too_large", "timed_out",   "io"};

int64_t now_ms() { return system_clock().monotonic_ns() / kMs; }

Limits within(int64_t ms) {
  Limits limits;
  limits.deadline_ns = system_clock().monotonic_ns() + ms * kMs;
  return limits;
}
Limits usual() { return within(120'000); }

std::string code_of(const Error& error) { return kCodeNames[static_cast<size_t>(error.code)]; }
std::string said(const Error& error) { return code_of(error) + ": " + error.message; }
template <typename T>
std::string outcome(const Result<T>& result) {
  return result.ok() ? "ok" : code_of(result.error());
}

// --- what the checks are written with -------------------------------------------------------------------------------

int failures = 0;
void expect_that(bool good, int line, const std::string& text) {
  if (good) return;
  ++failures;
  std::printf("  contract.cc:%d: %s\n", line, text.c_str());
}
#define EXPECT(condition, text) expect_that(static_cast<bool>(condition), __LINE__, std::string(#condition " : ") + (text))
#define EXPECT_OUTCOME(wanted, result)                                                              \
  do {                                                                                              \
    auto&& got = (result);                                                                          \
    expect_that(outcome(got) == (wanted), __LINE__,                                                 \
                std::string(#result " is not " wanted " but ") + (got.ok() ? "ok" : said(got.error()))); \
  } while (0)

struct Ground {
  Remote& remote;
  std::set<std::string> without;
  bool can(const std::string& what) const { return !without.contains(what); }
};

ObjectName blob(std::string_view seed) { return ObjectName::blob({digest_bytes(seed)}); }
ObjectName record(std::string_view seed) { return ObjectName::record({digest_bytes(seed)}); }

Result<std::string> read(Remote& remote, const ObjectName& name, const Limits& limits = usual()) {
  StringSink sink;
  KACHE_TRY(remote.get(name, sink, limits));
  return std::move(sink).take();
}

// Bytes that nobody keeps in memory: each is made from its position.
char byte_at(uint64_t at) { return static_cast<char>((at * 2654435761u) >> 13); }

class MadeSource final : public Source {
 public:
  explicit MadeSource(uint64_t size) : size_(size) {}
  uint64_t size() const override { return size_; }
  Status rewind() override {
    at_ = 0;
    return Ok{};
  }
  Result<size_t> read(char* buffer, size_t size) override {
    size_t count = static_cast<size_t>(std::min<uint64_t>(size, size_ - at_));
    for (size_t i = 0; i < count; ++i) buffer[i] = byte_at(at_++);
    return count;
  }

 private:
  uint64_t size_, at_ = 0;
};

class MadeSink final : public Sink {
 public:
  Status write(std::string_view bytes) override {
    for (char c : bytes) good &= c == byte_at(size++);
    return Ok{};
  }
  uint64_t size = 0;
  bool good = true;
};

// --- the checks -------------------------------------------------------------------------------------------------------

void what_was_put_is_read(Ground& on) {
  std::string bytes("a\0b\r\n\xff, not text", 17);
  for (const ObjectName& name : {blob("put"), record("put"), ObjectName::traces({digest_bytes("put")}), ObjectName::pack(digest_bytes("put")),
                                 ObjectName::session("main", "2026-08-22.1"), ObjectName::control("doctor")}) {
    EXPECT_OUTCOME("ok", put_bytes(on.remote, name, bytes, {}, usual()));
    Result<std::string> got = read(on.remote, name);
    EXPECT(got.ok() && *got == bytes, name.text() + (got.ok() ? " has other bytes" : " " + said(got.error())));
    Result<bool> has = on.remote.has(name, usual());
    EXPECT(has.ok() && *has, name.text());
  }
  EXPECT_OUTCOME("ok", put_bytes(on.remote, blob("put"), "other", {}, usual()));
  EXPECT(read(on.remote, blob("put")).value_or("") == "other", "a second put replaces");
}

void absent_objects(Ground& on) {
  EXPECT_OUTCOME("not_found", read(on.remote, blob("absent")));
  EXPECT_OUTCOME("not_found", read(on.remote, ObjectName::session("nowhere", "absent")));
  Result<bool> has = on.remote.has(blob("absent"), usual());
  EXPECT(has.ok() && !*has, has.ok() ? "is there" : said(has.error()));
}

void remove_takes_it_away(Ground& on) {
  if (!on.can("remove")) {
    EXPECT_OUTCOME("unsupported", on.remote.remove(blob("removed"), usual()));
    return;
  }
  EXPECT_OUTCOME("ok", put_bytes(on.remote, blob("removed"), "x", {}, usual()));
  EXPECT_OUTCOME("ok", on.remote.remove(blob("removed"), usual()));
  EXPECT_OUTCOME("not_found", read(on.remote, blob("removed")));
  EXPECT_OUTCOME("ok", on.remote.remove(blob("removed"), usual()));  // S3 does not say that there was nothing
}

void empty_object(Ground& on) {
  EXPECT_OUTCOME("ok", put_bytes(on.remote, blob("empty"), "", {}, usual()));
  Result<std::string> got = read(on.remote, blob("empty"));
  EXPECT(got.ok() && got->empty(), outcome(got));
  EXPECT(on.remote.has(blob("empty"), usual()).value_or(false), "an empty object is one");
}

// RSS of this process: neither way may hold the object in memory.
uint64_t peak_kib() {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  char line[256];
  unsigned long long peak = 0;
  while (file && std::fgets(line, sizeof line, file)) std::sscanf(line, "VmHWM: %llu", &peak);
  if (file) std::fclose(file);
  return peak;
}

void large_object(Ground& on) {
  constexpr uint64_t size = 64u << 20;
  uint64_t bound = on.remote.largest_object();
  MadeSource source(size);
  if (bound > 0 && bound < size) {
    EXPECT_OUTCOME("too_large", on.remote.put(blob("large"), source, {}, usual()));
    EXPECT(!on.remote.has(blob("large"), usual()).value_or(true), "a refused object is not there");
    return;
  }
  uint64_t before = peak_kib();
  EXPECT_OUTCOME("ok", on.remote.put(blob("large"), source, {}, usual()));
  MadeSink sink;
  EXPECT_OUTCOME("ok", on.remote.get(blob("large"), sink, usual()));
  EXPECT(sink.size == size && sink.good, "the bytes are others");
  if (on.can("streaming")) EXPECT(peak_kib() - before < 32 * 1024, std::to_string(peak_kib() - before) + " KiB more in memory");
  if (on.can("remove")) EXPECT_OUTCOME("ok", on.remote.remove(blob("large"), usual()));
}

void put_only_if_absent(Ground& on) {
  EXPECT_OUTCOME("ok", put_bytes(on.remote, blob("if absent"), "first", if_absent(), usual()));
  if (!on.can("if_absent")) {
    EXPECT_OUTCOME("ok", put_bytes(on.remote, blob("if absent"), "second", if_absent(), usual()));
    EXPECT(read(on.remote, blob("if absent")).value_or("") == "second", "where there are no conditions it is replaced");
    return;
  }
  EXPECT_OUTCOME("exists", put_bytes(on.remote, blob("if absent"), "second", if_absent(), usual()));
  EXPECT(read(on.remote, blob("if absent")).value_or("") == "first", "what was there stays");
}

void put_only_if_unchanged(Ground& on) {
  ObjectName name = ObjectName::control("if-version");
  EXPECT_OUTCOME("ok", put_bytes(on.remote, name, "first", {}, usual()));
  StringSink sink;
  Result<std::string> version = on.remote.get(name, sink, usual());
  EXPECT_OUTCOME("ok", version);
  if (!version.ok()) return;
  PutCondition unchanged{PutCondition::if_version, *version};
  EXPECT_OUTCOME("ok", put_bytes(on.remote, name, "second", unchanged, usual()));
  if (!on.can("if_version")) {
    EXPECT_OUTCOME("ok", put_bytes(on.remote, name, "third", unchanged, usual()));
    EXPECT(read(on.remote, name).value_or("") == "third", "where there are no conditions it is replaced");
    return;
  }
  EXPECT(!version->empty(), "no version");
  EXPECT_OUTCOME("exists", put_bytes(on.remote, name, "third", unchanged, usual()));
  EXPECT(read(on.remote, name).value_or("") == "second", "what was there stays");
  EXPECT_OUTCOME("ok", on.remote.remove(name, usual()));
  EXPECT_OUTCOME("exists", put_bytes(on.remote, name, "fourth", unchanged, usual()));
}

void one_winner_of_many_if_absent(Ground& on) {
  if (!on.can("if_absent")) return;
  std::atomic<int> won = 0, others = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      Status status = put_bytes(on.remote, blob("race"), std::string(1000, static_cast<char>('a' + i)), if_absent(), usual());
      if (status.ok()) ++won;
      else if (status.code() != ErrorCode::exists) ++others;
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT(won == 1 && others == 0, std::to_string(won) + " won, " + std::to_string(others) + " failed otherwise");
}

void readers_see_whole_objects(Ground& on) {
  ObjectName name = blob("whole");
  uint64_t size = on.remote.largest_object() ? std::min<uint64_t>(on.remote.largest_object(), 300'000) : 300'000;
  EXPECT_OUTCOME("ok", put_bytes(on.remote, name, std::string(size, 'a'), {}, usual()));
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0, read_count = 0, failed = 0;
  std::vector<std::thread> threads;
  for (char letter : {'b', 'c', 'd'}) {
    threads.emplace_back([&, letter] {
      std::string bytes(size - (letter - 'b'), letter);
      for (int i = 0; i < 15; ++i) failed += !put_bytes(on.remote, name, bytes, {}, usual()).ok();
    });
  }
  std::thread reader([&] {
    while (!done) {
      Result<std::string> got = read(on.remote, name);
      ++read_count;
      if (!got.ok()) ++failed;
      else torn += got->size() < size - 2 || got->find_first_not_of(got->front()) != std::string::npos;
    }
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  reader.join();
  EXPECT(torn == 0, std::to_string(torn) + " of " + std::to_string(read_count) + " were torn");
  EXPECT(failed == 0, std::to_string(failed) + " calls failed");
}

void limits_are_kept(Ground& on) {
  EXPECT_OUTCOME("ok", put_bytes(on.remote, blob("limits"), std::string(100'000, 'x'), {}, usual()));
  Limits small = usual();
  small.max_bytes = 99'999;
  EXPECT_OUTCOME("too_large", read(on.remote, blob("limits"), small));
  small.max_bytes = 100'000;
  EXPECT_OUTCOME("ok", read(on.remote, blob("limits"), small));

  Limits late = within(-1);
  EXPECT_OUTCOME("timed_out", read(on.remote, blob("limits"), late));
  EXPECT_OUTCOME("timed_out", put_bytes(on.remote, blob("late"), "x", {}, late));
  EXPECT_OUTCOME("timed_out", on.remote.has(blob("limits"), late));

  std::atomic<bool> cancelled = true;
  Limits given_up = usual();
  given_up.cancelled = &cancelled;
  EXPECT_OUTCOME("timed_out", read(on.remote, blob("limits"), given_up));
  EXPECT_OUTCOME("timed_out", put_bytes(on.remote, blob("late"), "x", {}, given_up));
  EXPECT(!on.remote.has(blob("late"), usual()).value_or(true), "what was given up is not there");
}

void errors_of_both_ends_come_back(Ground& on) {
  struct FullSink final : Sink {
    Status write(std::string_view) override { return Error{ErrorCode::no_space, 0, "the disk is full"}; }
  } full;
  struct BrokenSource final : Source {
    uint64_t size() const override { return 1000; }
    Status rewind() override { return Ok{}; }
    Result<size_t> read(char*, size_t) override { return Error{ErrorCode::corrupt, 0, "the file is gone"}; }
  } broken;
  EXPECT_OUTCOME("ok", put_bytes(on.remote, blob("ends"), "x", {}, usual()));
  EXPECT_OUTCOME("no_space", on.remote.get(blob("ends"), full, usual()));
  EXPECT_OUTCOME("corrupt", on.remote.put(blob("broken"), broken, {}, usual()));
  EXPECT(!on.remote.has(blob("broken"), usual()).value_or(true), "half an object is none");
}

Result<std::map<std::string, uint64_t>> listed(Remote& remote, ObjectKind kind, const std::string& prefix = "") {
  std::map<std::string, uint64_t> found;
  KACHE_TRY(remote.list(kind, prefix, [&](const ListedObject& object) -> Status {
    if (!found.emplace(object.name.text(), object.size).second) return Error{ErrorCode::corrupt, 0, object.name.text() + " is listed twice"};
    return Ok{};
  }, usual()));
  return found;
}

// Before other kinds of checks have left anything of these kinds.
void listings(Ground& on) {
  if (!on.can("list")) {
    EXPECT_OUTCOME("unsupported", listed(on.remote, ObjectKind::traces));
    return;
  }
  Result<std::map<std::string, uint64_t>> none = listed(on.remote, ObjectKind::traces);
  EXPECT(none.ok() && none->empty(), outcome(none));
  std::map<std::string, uint64_t> put, put_of_ab;
  std::string ab;
  for (int i = 0; i < 1100; ++i) {
    ObjectName name = ObjectName::traces({digest_bytes("list" + std::to_string(i))});
    std::string bytes(static_cast<size_t>(i % 7), 'x');
    Status status = put_bytes(on.remote, name, bytes, {}, usual());
    if (!status.ok()) EXPECT_OUTCOME("ok", status);
    put[name.text()] = bytes.size();
    if (ab.empty()) ab = name.text().substr(0, name.text().rfind('/') + 1);
    if (name.text().starts_with(ab)) put_of_ab[name.text()] = bytes.size();
  }
  EXPECT_OUTCOME("ok", put_bytes(on.remote, record("another kind"), "x", {}, usual()));
  Result<std::map<std::string, uint64_t>> all = listed(on.remote, ObjectKind::traces);
  EXPECT(all.ok() && *all == put, all.ok() ? std::to_string(all->size()) + " objects of " + std::to_string(put.size()) : said(all.error()));
  Result<std::map<std::string, uint64_t>> some = listed(on.remote, ObjectKind::traces, ab);
  EXPECT(some.ok() && *some == put_of_ab, some.ok() ? std::to_string(some->size()) + " objects below " + ab : said(some.error()));
  std::string one = put.begin()->first;
  Result<std::map<std::string, uint64_t>> single = listed(on.remote, ObjectKind::traces, one);
  EXPECT(single.ok() && single->size() == 1 && single->begin()->first == one, outcome(single));

  int visits = 0;
  Status ended = on.remote.list(ObjectKind::traces, "", [&](const ListedObject&) -> Status {
    ++visits;
    return Error{ErrorCode::busy, 0, "enough"};
  }, usual());
  EXPECT(!ended.ok() && ended.code() == ErrorCode::busy && visits == 1, outcome(ended));
  EXPECT_OUTCOME("timed_out", on.remote.list(ObjectKind::traces, "", [](const ListedObject&) -> Status { return Ok{}; }, within(-1)));
}

void times_in_listings(Ground& on) {
  if (!on.can("list") || !on.can("times")) return;
  EXPECT_OUTCOME("ok", put_bytes(on.remote, ObjectName::session("times", "now"), "x", {}, usual()));
  int64_t off_by = INT64_MAX;
  Status status = on.remote.list(ObjectKind::session, kind_prefix(ObjectKind::session) + "times/", [&](const ListedObject& object) -> Status {
    off_by = std::abs(object.modified_ns - system_clock().wall_ns()) / 1'000'000'000;
    return Ok{};
  }, usual());
  EXPECT(status.ok() && off_by < 60, "off by " + std::to_string(off_by) + " s");
}

struct Check {
  const char* name;
  void (*run)(Ground&);
};
constexpr Check kChecks[] = {
    {"listings", listings},
    {"what_was_put_is_read", what_was_put_is_read},
    {"absent_objects", absent_objects},
    {"remove_takes_it_away", remove_takes_it_away},
    {"empty_object", empty_object},
    {"large_object", large_object},
    {"put_only_if_absent", put_only_if_absent},
    {"put_only_if_unchanged", put_only_if_unchanged},
    {"one_winner_of_many_if_absent", one_winner_of_many_if_absent},
    {"readers_see_whole_objects", readers_see_whole_objects},
    {"limits_are_kept", limits_are_kept},
    {"errors_of_both_ends_come_back", errors_of_both_ends_come_back},
    {"times_in_listings", times_in_listings},
};

int run_checks(Remote& remote, const std::map<std::string, std::string>& flags) {
  Ground ground{remote, {}};
  std::string without = flags.contains("--without") ? flags.at("--without") : "";
  for (size_t begin = 0, end = 0; begin < without.size(); begin = end + 1) {
    end = std::min(without.find(',', begin), without.size());
    ground.without.insert(without.substr(begin, end - begin));
  }
  int failed_checks = 0;
  for (const Check& check : kChecks) {
    if (flags.contains("--only") && flags.at("--only") != check.name) continue;
    failures = 0;
    int64_t begun = now_ms();
    check.run(ground);
    failed_checks += failures > 0;
    std::printf("%s %s (%lld ms)\n", failures ? "FAILED" : "ok", check.name, static_cast<long long>(now_ms() - begun));
    std::fflush(stdout);
  }
  return failed_checks ? 1 : 0;
}

// --- one call ---------------------------------------------------------------------------------------------------------

Result<std::string> do_call(Remote& remote, const std::string& what, uint64_t size, const Limits& limits) {
  ObjectName name = blob("call");
  if (what == "get") {
    MadeSink sink;
    std::string version = KACHE_TRY(remote.get(name, sink, limits));
    return std::to_string(sink.size) + " bytes, version " + version;
  }
  if (what == "has") return std::string(KACHE_TRY(remote.has(name, limits)) ? "yes" : "no");
  if (what == "remove") {
    KACHE_TRY(remote.remove(name, limits));
    return std::string("removed");
  }
  if (what == "list") {
    std::string names;
    KACHE_TRY(remote.list(ObjectKind::blob, "", [&](const ListedObject& object) -> Status {
      names += " " + object.name.text();
      return Ok{};
    }, limits));
    return "listed" + names;
  }
  MadeSource source(size);
  KACHE_TRY(remote.put(name, source, {}, limits));
  return std::string("put");
}

int run_call(Remote& remote, const std::map<std::string, std::string>& flags) {
  auto number = [&](const char* flag, int64_t otherwise) { return flags.contains(flag) ? std::atoll(flags.at(flag).c_str()) : otherwise; };
  Limits limits = within(number("--deadline-ms", 60'000));
  limits.max_bytes = static_cast<uint64_t>(number("--max-bytes", INT64_MAX));
  std::atomic<bool> cancelled = false;
  limits.cancelled = &cancelled;
  std::thread canceller;
  if (int64_t wait = number("--cancel-ms", 0)) {
    canceller = std::thread([&cancelled, wait] {
      ::usleep(static_cast<useconds_t>(wait * 1000));
      cancelled = true;
    });
  }
  int64_t begun = now_ms();
  Result<std::string> result = do_call(remote, flags.at("--do"), static_cast<uint64_t>(number("--size", 1000)), limits);
  std::printf("%s\n%lld\n", (result.ok() ? "ok: " + *result : said(result.error())).c_str(), static_cast<long long>(now_ms() - begun));
  if (canceller.joinable()) canceller.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  for (int i = 2; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
  if (argc < 2 || argc % 2 != 0) {
    std::fprintf(stderr, "usage: kache_remote_contract URL [--without LIST] [--only CHECK] | [--do CALL ...]\n");
    return 2;
  }
  Result<RemoteSpec> spec = parse_remote_url(argv[1]);
  Env env(const_cast<const char* const*>(environ));
  Result<std::unique_ptr<Remote>> remote = spec.ok() ? open_remote(*spec, env) : spec.error();
  if (!remote.ok()) {
    std::printf("%s\n0\n", said(remote.error()).c_str());
    return 2;
  }
  return flags.contains("--do") ? run_call(**remote, flags) : run_checks(**remote, flags);
}
