#include "remote/signing.h"

#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file_system.h"

namespace kache {
namespace {

constexpr std::string_view kPublic = "kache-ed25519:", kSecret = "kache-ed25519-secret:";

static_assert(crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_BYTES == 64 &&
              crypto_sign_SEEDBYTES == 32);

// Before anything of the library is used; may be called again and from several threads.
void start_sodium() {
  if (sodium_init() < 0) std::abort();  // no source of random numbers: nothing can be signed, and nothing is
}

std::string base64(const uint8_t* bytes, size_t size) {
  std::string text(sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes, size, sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the zero
  return text;
}

bool from_base64(std::string_view text, std::array<uint8_t, 32>& out) {
  size_t size = 0;
  const char* end = nullptr;
  int failed = sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &size, &end,
                                 sodium_base64_VARIANT_ORIGINAL);
  return failed == 0 && size == out.size() && end == text.data() + text.size();
}

}  // namespace

std::string PublicKey::text() const { return std::string(kPublic) + base64(bytes.data(), bytes.size()); }

Result<PublicKey> parse_public_key(std::string_view text) {
  PublicKey key;
  if (!text.starts_with(kPublic) || !from_base64(text.substr(kPublic.size()), key.bytes)) {
    return Error{ErrorCode::invalid, 0, "expected a key as `kache keys` shows it, kache-ed25519:…"};
  }
  return key;
}

SigningKey::SigningKey(const std::array<uint8_t, 32>& seed) : seed_(seed) {
  crypto_sign_seed_keypair(public_.bytes.data(), secret_.data(), seed_.data());
}

SigningKey::~SigningKey() {
  sodium_memzero(seed_.data(), seed_.size());
  sodium_memzero(secret_.data(), secret_.size());
}

SigningKey SigningKey::generate() {
  start_sodium();
  std::array<uint8_t, 32> seed;
  randombytes_buf(seed.data(), seed.size());
  SigningKey key(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

Result<SigningKey> SigningKey::parse(std::string_view text) {
  start_sodium();
  std::array<uint8_t, 32> seed;
  std::string_view word = text.substr(0, text.find_first_of(" \r\n"));
  if (!word.starts_with(kSecret) || !from_base64(word.substr(kSecret.size()), seed)) {
    return Error{ErrorCode::invalid, 0, "no signing key; `kache keys generate` makes one"};
  }
  return SigningKey(seed);
}

Result<SigningKey> SigningKey::load(const std::string& path) {
  FileSystem& fs = posix_file_system();
  File file = KACHE_TRY(open_file(fs, path));
  FileStat stat = KACHE_TRY(fs.stat_handle(file.handle()));
  if (stat.mode & 077) return Error{ErrorCode::denied, 0, path + ": others may read this key; chmod 600 it"};
  std::string text = KACHE_TRY(read_handle(fs, file.handle(), 4096));
  Result<SigningKey> key = parse(text);
  sodium_memzero(text.data(), text.size());
  if (!key.ok()) return std::move(key).error().in(path);
  return key;
}

std::string SigningKey::text(std::string_view comment) const {
  return std::string(kSecret) + base64(seed_.data(), seed_.size()) + " " + std::string(comment) + "\n";
}

Signature SigningKey::sign(const Digest& message) const {
  Signature signature;
  signature.signer = public_;
  crypto_sign_detached(signature.bytes.data(), nullptr, message.bytes.data(), message.bytes.size(), secret_.data());
  return signature;
}

bool verify(const Signature& signature, const Digest& message) {
  start_sodium();
  return crypto_sign_verify_detached(signature.bytes.data(), message.bytes.data(), message.bytes.size(),
                                     signature.signer.bytes.data()) == 0;
}

bool Trust::knows(const PublicKey& key) const { return std::find(keys.begin(), keys.end(), key) != keys.end(); }

}  // namespace kache
