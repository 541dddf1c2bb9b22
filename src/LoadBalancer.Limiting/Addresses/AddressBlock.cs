namespace LoadBalancer.Limiting.Addresses;

/// <summary>Addresses with the same first bits: "10.0.0.0/8", or one address. IPv4 is held as mapped IPv6 (RFC 4291 §2.5.5.2), told apart by its family.</summary>
/// <param name="IsIPv4">The family: "::/0" does not take in IPv4.</param>
/// <param name="First">The lowest address; all bits after the prefix are 0.</param>
/// <param name="PrefixLength">Of 128; an IPv4 prefix counts 96 more.</param>
public readonly record struct AddressBlock(bool IsIPv4, UInt128 First, int PrefixLength)
{
    /// <summary>The highest address.</summary>
    public UInt128 Last => First | ~Mask(PrefixLength);

    /// <summary>The block of an address.</summary>
    /// <param name="isIPv4">Its family.</param>
    /// <param name="address">As mapped IPv6 where it is IPv4.</param>
    /// <param name="prefixLength">Of 128.</param>
    public static AddressBlock Of(bool isIPv4, UInt128 address, int prefixLength) => new(isIPv4, address & Mask(prefixLength), prefixLength);

    private static UInt128 Mask(int prefixLength) => prefixLength == 0 ? UInt128.Zero : UInt128.MaxValue << (128 - prefixLength);
}
