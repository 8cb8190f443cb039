// The parser of records over arbitrary bytes. Raw inputs seldom pass the header, so a sound header is put before them
// half of the time.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "record/preload/record_format.h"
#include "record/recording.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes;
  if (size != 0 && data[0] & 1) {
    kache_record_header header{};
    std::memcpy(header.magic, KACHE_RECORD_MAGIC, sizeof header.magic);
    header.capacity = KACHE_RECORD_CAPACITY;
    header.tail = sizeof header + size - 1;
    bytes.assign(reinterpret_cast<const char*>(&header), sizeof header);
  }
  if (size != 0) bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);

  kache::Result<std::vector<kache::RecordEvent>> events = kache::parse_record(bytes);
  if (!events.ok()) return 0;
  for (const kache::RecordEvent& event : *events) {
    for (std::string_view text : {event.a, event.b}) {
      if (!text.empty() && (text.data() < bytes.data() || text.data() + text.size() > bytes.data() + bytes.size())) {
        std::abort();
      }
    }
  }
  return 0;
}
