// What comes over the daemon's socket or lies in its outbox: refused, or what is written again as it was read. The first byte
// says which reader gets the rest.
#include <cstdlib>
#include <iterator>
#include <string>

#include "base/frame.h"
#include "wrapper/daemon_protocol.h"

using namespace kache;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void frames(std::string_view bytes) {
  std::string rest(bytes);
  DaemonFrame frame;
  for (;;) {
    size_t before = rest.size();
    Result<bool> taken = take_frame(rest, frame);
    require(taken.ok() && *taken ? rest.size() + frame.payload.size() + 13 == before : rest.size() == before);
    if (!taken.ok() || !*taken) return;
  }
}

// A number can be written in more than one way; what was understood has one form.
template <typename T, Result<T> (*decode)(std::string_view)>
void message(std::string_view bytes) {
  Result<T> read = decode(bytes);
  if (!read.ok()) return;
  std::string written = encode(*read);
  Result<T> again = decode(written);
  require(again.ok() && encode(*again) == written);
}

void settings(std::string_view bytes) {
  message<RemoteSettings, decode_settings>(bytes);
  Result<RemoteSettings> read = decode_settings(bytes);
  if (!read.ok()) return;
  (void)config_of(*read);
  RemoteSettings open = without_secrets(*read);
  require(without_secrets(open).env == open.env);
}

void outgoing(std::string_view bytes) {
  Result<Outgoing> read = decode_outgoing(seal_frame("KOUTBX01", bytes));
  if (read.ok()) require(decode_outgoing(encode_outgoing(*read)).ok());
  (void)decode_outgoing(bytes).ok();
}

constexpr void (*kReaders[])(std::string_view) = {
    frames, settings, outgoing, message<FetchRequest, decode_fetch>, message<FetchReply, decode_fetch_reply>,
    message<PublishRequest, decode_publish>, message<StopRequest, decode_stop>, message<BuildRequest, decode_announce>,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  kReaders[data[0] % std::size(kReaders)]({reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
