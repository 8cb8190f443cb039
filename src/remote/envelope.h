// Envelope: how a small object of a remote lies there: bound to its name, compressed, and signed where the writer has a key.
// Frame KREMOT01, docs/formats.md.
//
// What is inside is not looked at. Nothing is unpacked before the checksum, the name and the signature have been found good,
// and never more than the caller allows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "remote/object_name.h"
#include "remote/signing.h"

namespace kache {

struct Opened {
  std::string payload;
  std::optional<PublicKey> signer;  // whose signature was good
};

// `signer` may be nullptr.
std::string seal_envelope(const ObjectName& name, std::string_view payload, int level, const SigningKey* signer);

// `corrupt` for what is torn, foreign or of another name; `denied` when it is not signed as `trust` asks; `too_large`.
Result<Opened> open_envelope(const ObjectName& name, std::string_view bytes, const Trust& trust, uint64_t max_payload);

}  // namespace kache
