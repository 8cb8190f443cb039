#include "base/env.h"

namespace kache {

Env::Env(const char* const* environ_block) {
  for (; environ_block && *environ_block; ++environ_block) entries_.emplace_back(*environ_block);
}

static bool names(const std::string& entry, std::string_view name) {
  return entry.size() > name.size() && entry[name.size()] == '=' && entry.compare(0, name.size(), name) == 0;
}

const char* Env::get(std::string_view name) const {
  for (const std::string& entry : entries_)
    if (names(entry, name)) return entry.c_str() + name.size() + 1;
  return nullptr;
}

std::string_view Env::get_or_empty(std::string_view name) const {
  const char* value = get(name);
  return value ? std::string_view(value) : std::string_view();
}

void Env::set(std::string_view name, std::string_view value) {
  unset(name);
  entries_.push_back(std::string(name) + "=" + std::string(value));
}

void Env::unset(std::string_view name) {
  std::erase_if(entries_, [&](const std::string& entry) { return names(entry, name); });
}

}  // namespace kache
