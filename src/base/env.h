// The environment, read once in main. Nothing below main calls getenv.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kache {

class Env {
 public:
  Env() = default;
  // "NAME=value" strings, as in environ. The first of two equal names wins, as with getenv.
  explicit Env(const char* const* environ_block);
  explicit Env(std::vector<std::string> entries) : entries_(std::move(entries)) {}

  // nullptr when unset: unset and empty are different.
  const char* get(std::string_view name) const;
  bool has(std::string_view name) const { return get(name) != nullptr; }
  // "" when unset.
  std::string_view get_or_empty(std::string_view name) const;

  void set(std::string_view name, std::string_view value);
  void unset(std::string_view name);
  const std::vector<std::string>& entries() const { return entries_; }

 private:
  std::vector<std::string> entries_;
};

}  // namespace kache
