#include "remote/signing.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace kache {
namespace {

TEST(SigningTest, a_signature_is_of_one_key_and_one_message) {
  SigningKey key = SigningKey::generate(), other = SigningKey::generate();
  Signature signature = key.sign(digest_bytes("message"));
  EXPECT_TRUE(verify(signature, digest_bytes("message")));
  EXPECT_FALSE(verify(signature, digest_bytes("another")));
  Signature forged = signature;
  forged.signer = other.public_key();
  EXPECT_FALSE(verify(forged, digest_bytes("message")));
  forged = signature;
  forged.bytes[10] ^= 1;
  EXPECT_FALSE(verify(forged, digest_bytes("message")));
  EXPECT_FALSE(verify(Signature{}, digest_bytes("message")));
}

TEST(SigningTest, keys_are_read_as_they_are_written) {
  SigningKey key = SigningKey::generate();
  EXPECT_FALSE(key.public_key() == SigningKey::generate().public_key());
  std::string line = key.text("me@here");
  EXPECT_TRUE(line.starts_with("kache-ed25519-secret:"));
  EXPECT_TRUE(line.ends_with(" me@here\n"));
  EXPECT_EQ(SigningKey::parse(line)->public_key(), key.public_key());
  EXPECT_EQ(SigningKey::parse(line.substr(0, line.find(' ')))->public_key(), key.public_key());
  std::string shown = key.public_key().text();
  EXPECT_EQ(shown.size(), std::string("kache-ed25519:").size() + 44);
  EXPECT_EQ(parse_public_key(shown).value(), key.public_key());
}

TEST(SigningTest, what_is_no_key_is_refused) {
  SigningKey key = SigningKey::generate();
  std::string shown = key.public_key().text(), secret = key.text("");
  for (const std::string& text : {std::string(), std::string("kache-ed25519:"), shown.substr(0, shown.size() - 1), shown + "A", shown + " ", " " + shown,
                                  secret, std::string("kache-ed25519:!!!!"), std::string("ssh-ed25519 AAAA")}) {
    EXPECT_EQ(parse_public_key(text).code(), ErrorCode::invalid) << text;
  }
  for (const std::string& text : {std::string(), shown, std::string("kache-ed25519-secret:"), std::string("kache-ed25519-secret:AAAA x"), "\n" + secret}) {
    Result<SigningKey> parsed = SigningKey::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.code(), ErrorCode::invalid);
    EXPECT_EQ(parsed.error().message.find("AAAA"), std::string::npos);  // no part of a secret in a message
  }
}

TEST(SigningTest, a_key_that_others_may_read_is_refused) {
  char path[] = "/tmp/kache-key-XXXXXX";
  ::close(::mkstemp(path));
  SigningKey key = SigningKey::generate();
  std::ofstream(path) << key.text("x");
  for (mode_t mode : {0640u, 0604u, 0620u}) {
    ::chmod(path, mode);
    Result<SigningKey> loaded = SigningKey::load(path);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().message, std::string(path) + ": others may read this key; chmod 600 it");
  }
  ::chmod(path, 0600);
  EXPECT_EQ(SigningKey::load(path)->public_key(), key.public_key());
  std::ofstream(path) << "nonsense";
  EXPECT_EQ(SigningKey::load(path).error().message, std::string(path) + ": no signing key; `kache keys generate` makes one");
  ::unlink(path);
  EXPECT_EQ(SigningKey::load(path).code(), ErrorCode::not_found);
}

TEST(SigningTest, nobody_is_trusted_unless_listed) {
  SigningKey key = SigningKey::generate();
  EXPECT_FALSE(Trust{}.knows(key.public_key()));
  EXPECT_TRUE((Trust{{key.public_key()}, true}).knows(key.public_key()));
}

}  // namespace
}  // namespace kache
