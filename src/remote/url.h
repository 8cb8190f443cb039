// Pieces of URLs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kache {

// All but letters, digits and "-._~" as %XX, the slashes as they are: the way of RFC 3986 that signatures are made over.
std::string percent_encoded_path(std::string_view path);
// The slashes too.
std::string percent_encoded(std::string_view text);
// Nothing for a % without two hexadecimal digits behind it.
std::optional<std::string> percent_decoded_text(std::string_view text);

// "host:port" of a URL, without a login: what messages call a server.
std::string host_of(std::string_view url);

// "https://host:port" of "https://host:port/a/b", and "/a/b".
std::string_view origin_of(std::string_view url);
std::string_view path_of(std::string_view url);

}  // namespace kache
