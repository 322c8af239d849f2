#include <array>

#include "base/message_digest.hpp"
#include "hcs/schema.hpp"

namespace mullion::hcs {

// RFC 9562 §5.5 over a namespace of our own (random, fixed for good).
std::string layer_id(std::string_view folder_name) {
    static constexpr std::array<unsigned char, 16> kNamespace = {
        0x3b, 0x5f, 0x0c, 0x2e, 0x91, 0xd4, 0x4c, 0x77, 0xa6, 0x1d, 0x58, 0xe2, 0x07, 0xc9, 0x4f, 0xb3};
    std::string data(kNamespace.begin(), kNamespace.end());
    data += folder_name;
    unsigned char hash[base::MessageDigest::kMaxSize];
    base::MessageDigest digest(base::MessageDigest::Algorithm::Sha1);
    digest.update(data);
    digest.finish(hash);
    hash[6] = static_cast<unsigned char>((hash[6] & 0x0f) | 0x50);
    hash[8] = static_cast<unsigned char>((hash[8] & 0x3f) | 0x80);

    static constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += kHex[hash[i] >> 4];
        text += kHex[hash[i] & 15];
    }
    return text;
}

}  // namespace mullion::hcs
