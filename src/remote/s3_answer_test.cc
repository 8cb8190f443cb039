#include "remote/s3_answer.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace kache {
namespace {

TEST(S3Answer, TimesAreInUtcAndPlausible) {
  EXPECT_EQ(format_time(parse_utc_time("2026-08-22T10:11:12.131Z")), "2026-08-22T10:11:12.000000Z");
  for (const char* same : {"2026-08-22T10:11:12Z", "2026-08-22T10:11:12+00:00", "2026-08-22T10:11:12.1+0000"}) {
    EXPECT_EQ(parse_utc_time(same), parse_utc_time("2026-08-22T10:11:12.131Z")) << same;
  }
  for (const char* none : {"", "x", "2026-08-22", "2026-08-22T10:11:12", "2026-08-22T10:11:12+02:00", "2026-13-22T10:11:12Z", "2026-08-22T25:11:12Z", "9999-08-22T10:11:12Z",
                           "-999-08-22T10:11:12Z", "2026-08-22T10:11:12.Z9"}) {
    EXPECT_EQ(parse_utc_time(none), 0) << none;
  }
}

TEST(S3Answer, ErrorsOfBothServices) {
  S3Error error = parse_s3_error("<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>a &lt;b&gt;</Message><Region>r</Region></Error>");
  EXPECT_EQ(error.code + "|" + error.message + "|" + error.region, "NoSuchKey|a <b>|r");
  EXPECT_EQ(parse_s3_error("<ErrorResponse xmlns=\"x\"><Error><Code>C</Code></Error></ErrorResponse>").code, "C");
  for (const char* none : {"", "no", "<html><Code>C</Code></html>", "<Error>"}) EXPECT_EQ(parse_s3_error(none).code, "") << none;
}

TEST(S3Answer, KeysAreDecodedOnlyWhereTheAnswerSaysSo) {
  auto key_of = [](const std::string& encoding) {
    return parse_s3_page("<ListBucketResult>" + encoding + "<Contents><Key>a%20b</Key><Size>x</Size></Contents></ListBucketResult>")->keys.at(0).key;
  };
  EXPECT_EQ(key_of(""), "a%20b");
  EXPECT_EQ(key_of("<EncodingType>url</EncodingType>"), "a b");
}

TEST(S3Answer, CredentialsAreWholeOrNone) {
  EXPECT_EQ(parse_sts_answer("<R><S><Credentials><AccessKeyId>a</AccessKeyId></Credentials></S></R>").code(), ErrorCode::corrupt);
  EXPECT_EQ(parse_sts_answer("<R/>").code(), ErrorCode::corrupt);
}

}  // namespace
}  // namespace kache
