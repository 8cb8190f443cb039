// Jobs: a pool of threads that does what the daemon is asked to. Somebody waits for a demand; nobody waits for background work,
// which therefore never takes the last threads. Work for later holds no thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace kache {

enum class Urgency : uint8_t { demand, background };

class Jobs {
 public:
  using Work = std::function<void()>;

  // `threads` at least 2. All of them serve demands; background work has all but a quarter (at least one, at most four).
  Jobs(Clock& clock, size_t threads);
  // Work that has begun is waited for, everything else is dropped.
  ~Jobs();
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  void add(Urgency urgency, Work work);
  // Not before `delay_ns` from now.
  void add_later(int64_t delay_ns, Work work, Urgency urgency = Urgency::background);

  size_t threads() const { return threads_.size(); }
  size_t running() const;
  size_t waiting() const;  // for a thread; without what is for later

 private:
  void run();
  bool take(Work& work, Urgency& urgency);
  void release_due();

  Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> demands_, background_;
  std::multimap<int64_t, std::pair<Urgency, Work>> later_;  // by time
  size_t running_ = 0, running_background_ = 0, most_background_ = 1;
  bool ends_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace kache
