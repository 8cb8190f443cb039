#include "daemon/jobs.h"

#include <algorithm>
#include <chrono>

namespace kache {

Jobs::Jobs(Clock& clock, size_t threads) : clock_(clock) {
  threads = std::max<size_t>(threads, 2);
  most_background_ = std::max<size_t>(1, threads - std::clamp<size_t>(threads / 4, 1, 4));
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Jobs::~Jobs() {
  {
    std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Jobs::add(Urgency urgency, Work work) {
  {
    std::lock_guard lock(mutex_);
    (urgency == Urgency::demand ? demands_ : background_).push_back(std::move(work));
  }
  changed_.notify_one();
}

void Jobs::add_later(int64_t delay_ns, Work work, Urgency urgency) {
  {
    std::lock_guard lock(mutex_);
    later_.emplace(clock_.monotonic_ns() + delay_ns, std::pair(urgency, std::move(work)));
  }
  changed_.notify_one();  // who sleeps may have to sleep shorter
}

size_t Jobs::running() const {
  std::lock_guard lock(mutex_);
  return running_;
}

size_t Jobs::waiting() const {
  std::lock_guard lock(mutex_);
  return demands_.size() + background_.size();
}

void Jobs::release_due() {
  int64_t now = clock_.monotonic_ns();
  while (!later_.empty() && later_.begin()->first <= now) {
    auto& [urgency, work] = later_.begin()->second;
    (urgency == Urgency::demand ? demands_ : background_).push_back(std::move(work));
    later_.erase(later_.begin());
  }
}

bool Jobs::take(Work& work, Urgency& urgency) {
  release_due();
  if (!demands_.empty()) {
    urgency = Urgency::demand;
    work = std::move(demands_.front());
    demands_.pop_front();
    return true;
  }
  if (background_.empty() || running_background_ >= most_background_) return false;
  urgency = Urgency::background;
  work = std::move(background_.front());
  background_.pop_front();
  return true;
}

void Jobs::run() {
  std::unique_lock lock(mutex_);
  while (!ends_) {
    Work work;
    Urgency urgency = Urgency::demand;
    if (!take(work, urgency)) {
      // A second at most: the clock need not be the one that the condition waits by.
      int64_t wait = later_.empty() ? 1'000'000'000 : std::clamp<int64_t>(later_.begin()->first - clock_.monotonic_ns(), 1'000'000, 1'000'000'000);
      changed_.wait_for(lock, std::chrono::nanoseconds(wait));
      continue;
    }
    bool is_background = urgency == Urgency::background;
    running_++;
    running_background_ += is_background;
    lock.unlock();
    work();
    work = nullptr;  // what it holds is let go without the lock
    lock.lock();
    running_--;
    running_background_ -= is_background;
    changed_.notify_one();
  }
}

}  // namespace kache
