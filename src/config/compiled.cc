#include "config/compiled.h"

#include "base/bytes.h"
#include "base/frame.h"

namespace kache {

static constexpr std::string_view kMagic = "KCONFC02";

std::string encode_compiled(const CompiledConfig& config) {
  ByteWriter out;
  out.text(config.problem);
  out.varint(config.settings.size());
  for (const CompiledSetting& setting : config.settings) {
    out.text(setting.key);
    out.u8(setting.shape);
    out.varint(setting.line);
    out.varint(setting.column);
    out.varint(setting.values.size());
    for (const std::string& value : setting.values) out.text(value);
  }
  return seal_frame(kMagic, out.bytes());
}

Result<CompiledConfig> decode_compiled(std::string_view bytes) {
  ByteReader in(KACHE_TRY(open_frame(kMagic, bytes)));
  CompiledConfig config;
  config.problem = in.text();
  uint64_t settings = in.count(5);
  for (uint64_t i = 0; i < settings && in.ok(); ++i) {
    CompiledSetting setting;
    setting.key = in.text();
    uint8_t shape = in.u8();
    if (shape > CompiledSetting::other) return Error{ErrorCode::corrupt, 0, "malformed compiled configuration"};
    setting.shape = static_cast<CompiledSetting::Shape>(shape);
    setting.line = in.varint();
    setting.column = in.varint();
    uint64_t values = in.count();
    for (uint64_t j = 0; j < values && in.ok(); ++j) setting.values.emplace_back(in.text());
    config.settings.push_back(std::move(setting));
  }
  if (!in.ok() || !in.at_end()) return Error{ErrorCode::corrupt, 0, "malformed compiled configuration"};
  return config;
}

}  // namespace kache
