// Signing: who vouches for a result. ed25519 by libsodium.
//
// A public key is shown as "kache-ed25519:<base64>", a secret one lies in a file of one line, "kache-ed25519-secret:<base64
// of the seed> <comment>", which nobody but its owner may read. What is signed is a digest under a label (envelope.h).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"

namespace kache {

struct PublicKey {
  std::array<uint8_t, 32> bytes{};
  bool operator==(const PublicKey&) const = default;
  std::string text() const;  // "kache-ed25519:…"
};

struct Signature {
  PublicKey signer;
  std::array<uint8_t, 64> bytes{};
  bool operator==(const Signature&) const = default;
};

class SigningKey {
 public:
  static SigningKey generate();
  // A file as written by text(). `denied` when others may read it.
  static Result<SigningKey> load(const std::string& path);
  static Result<SigningKey> parse(std::string_view text);

  ~SigningKey();
  SigningKey(const SigningKey&) = default;
  SigningKey& operator=(const SigningKey&) = default;

  const PublicKey& public_key() const { return public_; }
  std::string text(std::string_view comment) const;  // the line of the file
  Signature sign(const Digest& message) const;

 private:
  explicit SigningKey(const std::array<uint8_t, 32>& seed);
  std::array<uint8_t, 32> seed_{};
  std::array<uint8_t, 64> secret_{};
  PublicKey public_;
};

Result<PublicKey> parse_public_key(std::string_view text);
bool verify(const Signature& signature, const Digest& message);

// Whom a machine believes.
struct Trust {
  std::vector<PublicKey> keys;
  bool requires_signature = false;

  bool knows(const PublicKey& key) const;
};

}  // namespace kache
