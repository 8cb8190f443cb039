#include "remote/dav_answer.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace kache {
namespace {

std::string response(const std::string& href, const std::string& properties = "") {
  return "<x:response><x:href>" + href + "</x:href><x:propstat><x:prop>" + properties + "</x:prop></x:propstat></x:response>";
}
std::string multistatus(const std::string& responses) { return "<?xml version=\"1.0\"?>\n<x:multistatus xmlns:x=\"DAV:\">" + responses + "</x:multistatus>"; }

std::string names(const std::string& xml, const std::string& path) {
  std::string all;
  std::vector<DavEntry> entries = *parse_multistatus(xml, path);
  for (const DavEntry& entry : entries) all += "[" + entry.name + "]";
  return all;
}

TEST(DavAnswer, SaysWhatAServerSaysOfAName) {
  std::string xml = multistatus(response("/a/") + response("\n /a/file ", "<x:resourcetype/><x:getcontentlength>12</x:getcontentlength>"
                                "<x:getlastmodified>Sat, 22 Aug 2026 10:11:12 GMT</x:getlastmodified>") +
                                response("http://host:1/a/folder/", "<x:resourcetype><x:collection/></x:resourcetype>"));
  std::vector<DavEntry> entries = *parse_multistatus(xml, "/a/");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "file");
  EXPECT_EQ(entries[0].size, 12u);
  EXPECT_EQ(format_time(entries[0].modified_ns), "2026-08-22T10:11:12.000000Z");
  EXPECT_FALSE(entries[0].is_collection);
  EXPECT_EQ(entries[1].name, "folder");
  EXPECT_TRUE(entries[1].is_collection);
}

TEST(DavAnswer, ANameIsOneComponentBelowWhatWasAsked) {
  EXPECT_EQ(names(multistatus(response("/a/..") + response("/a/%2e%2E/") + response("/a/.") + response("/a//") + response("/a/b/c") + response("/a/b%2fc") +
                              response("/b/x") + response("/a") + response("") + response("/a/%zz") + response("/a/..x")), "/a/"), "[..x]");
  EXPECT_EQ(names(multistatus(response("/%C3%A4%20b/x")), "/\xc3\xa4 b/"), "[x]");
  EXPECT_EQ(names(multistatus(response("/\xc3\xa4 b/x")), "/%C3%A4%20b/"), "[x]");
}

TEST(DavAnswer, WhatIsNoneIsRefused) {
  for (const char* xml : {"", "x", "<html/>", "<multistatus>", "{}"}) EXPECT_EQ(parse_multistatus(xml, "/a/").code(), ErrorCode::corrupt) << xml;
  EXPECT_EQ(names("<multistatus/>", "/a/"), "");
}

}  // namespace
}  // namespace kache
