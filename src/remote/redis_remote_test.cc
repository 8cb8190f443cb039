// A server that lies, stalls and hangs up; what every engine must do with a real one is in tests/remote.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "remote/redis_connection.h"
#include "remote/remote_spec.h"

namespace kache {
namespace {

// The server's end of a connection.
class Talk {
 public:
  explicit Talk(int fd) : fd_(fd) {}
  // The next command; empty when the client is gone.
  std::vector<std::string> command() {
    std::vector<std::string> words;
    long count = number('*');
    for (long i = 0; i < count; ++i) {
      long size = number('$');
      if (size < 0) return {};
      std::string word = take(static_cast<size_t>(size) + 2);
      words.push_back(word.substr(0, word.size() - std::min<size_t>(2, word.size())));
    }
    return words;
  }
  bool say(std::string_view bytes) { return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()); }

 private:
  std::string take(size_t size) {
    std::string out(size, '\0');
    for (size_t at = 0; at < size;) {
      ssize_t n = ::read(fd_, out.data() + at, size - at);
      if (n <= 0) return {};
      at += static_cast<size_t>(n);
    }
    return out;
  }
  long number(char sign) {
    std::string line;
    while (!line.ends_with("\r\n")) {
      std::string c = take(1);
      if (c.empty()) return -1;
      line += c;
    }
    return line[0] == sign ? std::stol(line.substr(1)) : -1;
  }
  int fd_;
};

// Runs `serve` for each connection; the connection ends with it.
class FakeRedis {
 public:
  explicit FakeRedis(std::function<void(Talk&)> serve) : serve_(std::move(serve)) {
    char name[] = "/tmp/kache-redis-XXXXXX";
    top_ = ::mkdtemp(name);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (top_ + "/s").copy(address.sun_path, sizeof address.sun_path - 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FakeRedis() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (int fd : connections_) ::shutdown(fd, SHUT_RDWR);
    for (std::thread& thread : threads_) thread.join();
    for (int fd : connections_) ::close(fd);
    ::close(listener_);
    std::filesystem::remove_all(top_);
  }
  std::unique_ptr<Remote> open(std::map<std::string, std::string> options = {}) {
    RemoteSpec spec;
    spec.engine = Engine::redis;
    spec.place = top_ + "/s";
    spec.options = std::move(options);
    spec.user = user;
    spec.password = password;
    Result<std::unique_ptr<Remote>> remote = open_redis_remote(spec);
    EXPECT_TRUE(remote.ok());
    return std::move(remote).value();
  }
  int connections() const { return accepted_; }

  std::string user, password;

 private:
  void accept_all() {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      ++accepted_;
      connections_.push_back(fd);
      threads_.emplace_back([this, fd] {
        Talk talk(fd);
        serve_(talk);
        ::shutdown(fd, SHUT_RDWR);
      });
    }
  }
  std::function<void(Talk&)> serve_;
  std::string top_;
  int listener_ = -1;
  std::thread acceptor_;
  std::vector<int> connections_;  // the acceptor's, until it has ended
  std::vector<std::thread> threads_;
  std::atomic<int> accepted_{0};
};

Limits within_ms(int64_t ms) {
  Limits limits;
  limits.deadline_ns = system_clock().monotonic_ns() + ms * 1'000'000;
  return limits;
}

const ObjectName kName = ObjectName::record(ActionKey{digest_bytes("one")});

struct Got {
  ErrorCode code = ErrorCode::io;
  bool ok = false;
  std::string bytes, message;
};
Got get(Remote& remote, const Limits& limits) {
  StringSink sink;
  Result<std::string> version = remote.get(kName, sink, limits);
  if (version.ok()) return {ErrorCode::io, true, sink.bytes(), ""};
  return {version.code(), false, sink.bytes(), version.error().message};
}

TEST(RedisRemote, a_value_that_claims_to_be_huge_is_refused_before_it_comes) {
  FakeRedis server([](Talk& talk) {
    talk.command();
    talk.say("$999999999999\r\n");
    talk.command();
  });
  Limits limits = within_ms(5000);
  limits.max_bytes = 1 << 20;
  Got got = get(*server.open(), limits);
  EXPECT_EQ(got.code, ErrorCode::too_large);
  EXPECT_EQ(got.bytes, "");
}

TEST(RedisRemote, who_never_answers_costs_the_deadline) {
  FakeRedis server([](Talk& talk) { while (!talk.command().empty()) continue; });
  auto remote = server.open();
  int64_t begin = system_clock().monotonic_ns();
  EXPECT_EQ(get(*remote, within_ms(150)).code, ErrorCode::timed_out);
  int64_t took = system_clock().monotonic_ns() - begin;
  EXPECT_GE(took, 140'000'000);
  EXPECT_LT(took, 2'000'000'000);
}

TEST(RedisRemote, who_drips_costs_no_more) {
  FakeRedis server([](Talk& talk) {
    talk.command();
    talk.say("$100000\r\n");
    while (talk.say("x")) ::usleep(10'000);
  });
  auto remote = server.open();
  int64_t begin = system_clock().monotonic_ns();
  EXPECT_EQ(get(*remote, within_ms(200)).code, ErrorCode::timed_out);
  EXPECT_LT(system_clock().monotonic_ns() - begin, 2'000'000'000);
}

TEST(RedisRemote, what_nobody_wants_any_more_ends_soon) {
  FakeRedis server([](Talk& talk) { while (!talk.command().empty()) continue; });
  auto remote = server.open();
  std::atomic<bool> cancelled{false};
  Limits limits = within_ms(30'000);
  limits.cancelled = &cancelled;
  std::thread canceller([&] {
    ::usleep(50'000);
    cancelled = true;
  });
  int64_t begin = system_clock().monotonic_ns();
  EXPECT_FALSE(get(*remote, limits).ok);
  EXPECT_LT(system_clock().monotonic_ns() - begin, 5'000'000'000);
  canceller.join();
}

struct LieRow {
  const char* name;
  std::string answer;
  ErrorCode code;
};

TEST(RedisRemote, answers_that_are_none_are_corrupt) {
  const LieRow rows[] = {
      {"another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", ErrorCode::corrupt},
      {"negative length", "$-7\r\n", ErrorCode::corrupt},
      {"length with letters", "$12ab\r\n", ErrorCode::corrupt},
      {"length without end", "$" + std::string(100, '1'), ErrorCode::corrupt},
      {"longer than it said", "$3\r\nabcdef\r\n", ErrorCode::corrupt},
      {"an array", "*1\r\n$1\r\na\r\n", ErrorCode::corrupt},
      {"an array of billions", "*2000000000\r\n", ErrorCode::corrupt},
      {"arrays in arrays", "*1\r\n*1\r\n*60000\r\n*60000\r\n", ErrorCode::corrupt},
      {"a number", ":1\r\n", ErrorCode::corrupt},
      {"hangs up", "", ErrorCode::io},
      {"hangs up half-way", "$10\r\nabc", ErrorCode::io},
  };
  for (const LieRow& row : rows) {
    FakeRedis server([&](Talk& talk) {
      talk.command();
      talk.say(row.answer);
    });
    Got got = get(*server.open(), within_ms(5000));
    EXPECT_FALSE(got.ok) << row.name;
    EXPECT_EQ(got.code, row.code) << row.name << ": " << got.message;
  }
}

TEST(RedisRemote, an_answer_without_end_takes_little_memory) {
  FakeRedis server([](Talk& talk) {
    talk.command();
    std::string endless(65536, 'x');
    talk.say("-");
    while (talk.say(endless)) continue;
  });
  Got got = get(*server.open(), within_ms(20'000));
  EXPECT_EQ(got.code, ErrorCode::corrupt) << got.message;
}

TEST(RedisRemote, a_listing_without_end_ends_with_the_deadline_and_names_come_once) {
  FakeRedis server([](Talk& talk) {
    for (;;) {
      std::vector<std::string> command = talk.command();
      if (command.empty()) return;
      std::string key = kName.text(), foreign = "k1/records/../../etc/passwd";
      if (command[0] == "STRLEN") talk.say(":5\r\n");
      else talk.say("*2\r\n$1\r\n7\r\n*3\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n$" + std::to_string(key.size()) + "\r\n" + key +
                    "\r\n$" + std::to_string(foreign.size()) + "\r\n" + foreign + "\r\n");
    }
  });
  int visited = 0;
  Status status = server.open()->list(ObjectKind::record, "", [&](const ListedObject& one) -> Status {
    EXPECT_EQ(one.name, kName);
    ++visited;
    return Ok{};
  }, within_ms(200));
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(visited, 1);
}

TEST(RedisRemote, a_connection_that_the_server_closed_is_replaced) {
  FakeRedis server([](Talk& talk) {
    talk.command();
    talk.say("$2\r\nhi\r\n");
  });
  auto remote = server.open();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(*remote, within_ms(5000)).bytes, "hi");
  EXPECT_EQ(server.connections(), 3);
}

TEST(RedisRemote, an_idle_connection_that_dies_when_it_is_used_is_tried_once_more) {
  std::atomic<int> asked{0};
  FakeRedis server([&](Talk& talk) {
    while (!talk.command().empty()) {
      if (++asked == 2) return;  // takes the command and hangs up
      talk.say("$2\r\nhi\r\n");
    }
  });
  auto remote = server.open();
  EXPECT_EQ(get(*remote, within_ms(5000)).bytes, "hi");
  EXPECT_EQ(get(*remote, within_ms(5000)).bytes, "hi");
  EXPECT_EQ(server.connections(), 2);
  // On a new connection it would not help.
  asked = 1;
  EXPECT_EQ(get(*server.open(), within_ms(5000)).code, ErrorCode::io);
  EXPECT_EQ(server.connections(), 3);
}

TEST(RedisRemote, a_conditional_put_is_never_sent_twice) {
  std::atomic<int> asked{0};
  FakeRedis server([&](Talk& talk) {
    while (!talk.command().empty()) {
      if (++asked == 2) return;
      talk.say("+OK\r\n");
    }
  });
  auto remote = server.open();
  EXPECT_TRUE(put_bytes(*remote, kName, "a", {}, within_ms(5000)).ok());
  EXPECT_EQ(put_bytes(*remote, kName, "a", if_absent(), within_ms(5000)).code(), ErrorCode::io);
  EXPECT_EQ(asked, 2);
}

TEST(RedisRemote, a_server_that_hangs_up_during_a_large_put_ends_the_put_only) {
  FakeRedis server([](Talk&) { ::usleep(20'000); });
  std::string large(16 << 20, 'x');
  EXPECT_EQ(put_bytes(*server.open(), kName, large, {}, within_ms(10'000)).code(), ErrorCode::io);
}

TEST(RedisRemote, password_and_database_come_first) {
  std::mutex mutex;
  std::vector<std::vector<std::string>> said;
  FakeRedis server([&](Talk& talk) {
    for (;;) {
      std::vector<std::string> command = talk.command();
      if (command.empty()) return;
      {
        std::lock_guard lock(mutex);
        said.push_back(command);
      }
      talk.say(command[0] == "EXISTS" ? ":1\r\n" : "+OK\r\n");
    }
  });
  server.user = "ci";
  server.password = "se cret";
  EXPECT_TRUE(server.open({{"database", "3"}})->has(kName, within_ms(5000)).value());
  server.user = "";
  EXPECT_TRUE(server.open()->has(kName, within_ms(5000)).value());
  std::lock_guard lock(mutex);
  EXPECT_EQ(said, (std::vector<std::vector<std::string>>{
                      {"AUTH", "ci", "se cret"}, {"SELECT", "3"}, {"EXISTS", kName.text()}, {"AUTH", "se cret"}, {"EXISTS", kName.text()}}));
}

TEST(RedisRemote, a_get_renews_the_time_when_a_tenth_has_passed) {
  std::atomic<int> left_ms{100'000}, renewed{0};
  FakeRedis server([&](Talk& talk) {
    for (;;) {
      std::vector<std::string> command = talk.command();
      if (command.empty()) return;
      if (command[0] == "GET") talk.say("$2\r\nhi\r\n");
      if (command[0] == "PTTL") talk.say(":" + std::to_string(left_ms) + "\r\n");
      if (command[0] == "EXPIRE") {
        EXPECT_EQ(command[2], "100");
        ++renewed;
        talk.say("-NOPERM you may not\r\n");  // is not the reader's trouble
      }
    }
  });
  auto remote = server.open({{"ttl", "100s"}});
  for (auto [left, times] : {std::pair{95'000, 0}, {89'000, 1}, {-1, 1}, {10, 2}}) {
    left_ms = left;
    EXPECT_EQ(get(*remote, within_ms(5000)).bytes, "hi");
    EXPECT_EQ(renewed, times) << left;
  }
}

struct ReplyRow {
  const char* reply;
  ErrorCode code;
  const char* says;
};

TEST(RedisRemote, error_replies_say_what_to_do) {
  const ReplyRow rows[] = {
      {"NOAUTH Authentication required.", ErrorCode::denied, "wants a password"},
      {"WRONGPASS invalid username-password pair", ErrorCode::denied, "password is wrong"},
      {"NOPERM this user has no permissions", ErrorCode::denied, "may not"},
      {"OOM command not allowed when used memory > 'maxmemory'.", ErrorCode::no_space, "maxmemory"},
      {"MOVED 3999 127.0.0.1:6381", ErrorCode::unsupported, "cluster"},
      {"ASK 3999 127.0.0.1:6381", ErrorCode::unsupported, "cluster"},
      {"READONLY You can't write against a read only replica.", ErrorCode::io, "replica"},
      {"LOADING Redis is loading the dataset in memory", ErrorCode::io, "starting"},
      {"ERR DB index is out of range", ErrorCode::invalid, "database"},
      {"ERR something else\x1b[31m", ErrorCode::io, "something else?[31m"},
  };
  for (const ReplyRow& row : rows) {
    Error error = error_of_redis(row.reply, "host:6379");
    EXPECT_EQ(error.code, row.code) << row.reply;
    EXPECT_TRUE(error.message.starts_with("host:6379: ")) << error.message;
    EXPECT_NE(error.message.find(row.says), std::string::npos) << error.message;
  }
}

TEST(RedisRemote, a_reply_of_denied_arrives_and_the_connection_is_used_again) {
  FakeRedis server([](Talk& talk) {
    while (!talk.command().empty()) talk.say("-NOAUTH Authentication required.\r\n");
  });
  auto remote = server.open();
  EXPECT_EQ(get(*remote, within_ms(5000)).code, ErrorCode::denied);
  EXPECT_EQ(put_bytes(*remote, kName, "x", {}, within_ms(5000)).code(), ErrorCode::denied);
  EXPECT_EQ(server.connections(), 1);
}

TEST(RedisRemote, nobody_there_is_no_miss) {
  RemoteSpec spec;
  spec.engine = Engine::redis;
  spec.place = "/tmp/kache-no-such-socket";
  EXPECT_EQ(get(*open_redis_remote(spec).value(), within_ms(1000)).code, ErrorCode::io);
}

TEST(RedisRemote, settings_that_can_not_work_are_named) {
  RemoteSpec spec;
  spec.engine = Engine::redis;
  spec.place = "host";
  auto message = [&](const char* name, const char* value) {
    spec.options = {{name, value}};
    Result<std::unique_ptr<Remote>> remote = open_redis_remote(spec);
    return remote.ok() ? "" : remote.error().message;
  };
  EXPECT_EQ(message("ttl", "7d"), "");
  EXPECT_EQ(message("ttl", "soon"), "redis://host: ttl=soon; expected a time like 7d, one second at least");
  EXPECT_EQ(message("ttl", "0"), "redis://host: ttl=0; expected a time like 7d, one second at least");
  EXPECT_EQ(message("largest", "1MiB"), "");
  EXPECT_EQ(message("largest", "1TiB"), "redis://host: largest=1TiB; expected a size like 32MiB, 512MiB at most");
  spec.user = "ci";
  EXPECT_EQ(message("ttl", "7d"), "redis://host: a user without a password; expected redis://user:password@host");
}

}  // namespace
}  // namespace kache
