// What a Redis server may say: neither a value nor a reply makes us read, keep or believe more than was asked for.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"
#include "remote/redis_connection.h"

namespace {

class BoundedSink final : public kache::Sink {
 public:
  explicit BoundedSink(uint64_t most) : left_(most) {}
  kache::Status write(std::string_view bytes) override {
    if (bytes.size() > left_) std::abort();
    left_ -= bytes.size();
    return kache::Ok{};
  }

 private:
  uint64_t left_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 60'000) return 0;  // what a socket holds
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return 0;
  if (::write(ends[1], data, size) != static_cast<ssize_t>(size)) std::abort();
  ::close(ends[1]);
  {
    auto redis = kache::RedisConnection::on(redisConnectFd(ends[0]), "fuzz");
    kache::Limits limits;
    limits.max_bytes = 1000;
    limits.deadline_ns = kache::system_clock().monotonic_ns() + 1'000'000'000;
    BoundedSink sink(limits.max_bytes);
    kache::Result<bool> value = redis->receive_value(sink, limits);
    if (value.ok() && redis->is_broken()) std::abort();
    for (int i = 0; i < 3 && !redis->is_broken(); ++i) (void)redis->receive(limits).ok();
  }
  return 0;
}
