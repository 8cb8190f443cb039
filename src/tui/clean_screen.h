// The selector of `kache clean`: which directories are to go.
#pragma once

#include "clean/build_dir.h"
#include "tui/frame.h"
#include "tui/key.h"
#include "tui/list.h"

namespace kache {

struct CleanScreen {
  std::vector<BuildDir> dirs;
  std::vector<bool> chosen;  // one for each
  std::string cwd;
  int64_t now_ns = 0;
  CleanOrder order = CleanOrder::size;
  ListPlace place = {};
  bool is_asking = false;  // whether they are really to go

  CleanScreen(std::vector<BuildDir> found, std::string where, int64_t now);
};

enum class CleanAnswer : uint8_t { none, cancel, remove };

// `height` is that of the terminal.
CleanAnswer press(CleanScreen& screen, const Key& key, int height);
Frame draw(const CleanScreen& screen, int width, int height);

}  // namespace kache
