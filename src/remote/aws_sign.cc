#include "remote/aws_sign.h"

#include <sodium.h>

namespace kache {
namespace {

std::string hex_of(const unsigned char (&hash)[crypto_hash_sha256_BYTES]) {
  char text[2 * crypto_hash_sha256_BYTES + 1];
  return sodium_bin2hex(text, sizeof text, hash, sizeof hash);
}

}  // namespace

void sign(HttpRequest& request, AwsSignature& signature, const S3Credentials& by, std::string_view payload) {
  if (by.is_anonymous()) return;
  signature.access_key = by.access_key;
  signature.secret_key = by.secret_key;
  request.signature = &signature;
  request.headers.push_back("x-amz-content-sha256: " + std::string(payload));
  if (!by.session_token.empty()) request.headers.push_back("x-amz-security-token: " + by.session_token);
}

std::string sha256_hex(std::string_view bytes) {
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return hex_of(hash);
}

Result<std::string> sha256_hex(Source& source) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  KACHE_TRY(source.rewind());
  std::string buffer(64 * 1024, '\0');
  while (size_t count = KACHE_TRY(source.read(buffer.data(), buffer.size()))) {
    crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(buffer.data()), count);
  }
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256_final(&state, hash);
  return hex_of(hash);
}

}  // namespace kache
