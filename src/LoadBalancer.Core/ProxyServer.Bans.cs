using LoadBalancer.Core.Events;
using LoadBalancer.Core.Protection;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Limiting.Addresses;

namespace LoadBalancer.Core;

// Who is kept out while a server runs. Not on the hot path; any thread.
public sealed partial class ProxyServer
{
    private readonly AddressListWatcher _addressLists;

    /// <summary>The shortest prefix that may be banned without force, of IPv4 and IPv6: what is wider is more likely a typing error.</summary>
    public const int BanPrefixMinV4 = 8, BanPrefixMinV6 = 16;

    /// <summary>The bans that have not ended, at this moment. Thread-safe.</summary>
    public IReadOnlyList<Ban> Bans => Guard.Bans.List(_time.GetUtcNow());

    /// <summary>
    /// Keeps addresses out of all listeners for a time: new connections are reset, a request on one that is open already gets 403 and ends it; TCP connections and
    /// upgraded ones go on. Replaces the ban of exactly the same addresses. Bans are lost when the server stops. Thread-safe.
    /// </summary>
    /// <param name="block">"192.0.2.7", "192.0.2.0/24", "2001:db8::/32".</param>
    /// <param name="until">When it ends by itself; null for never.</param>
    /// <param name="reason">For whoever lists them.</param>
    /// <param name="force">Whether it may be wider than <see cref="BanPrefixMinV4"/> or <see cref="BanPrefixMinV6"/>.</param>
    /// <param name="actor">Who asks for it, for the event; null for the program itself.</param>
    /// <exception cref="ArgumentException">That is no block, it is too wide, or the end lies in the past; nothing has changed.</exception>
    /// <exception cref="InvalidOperationException">There are as many bans as may be, or bans with prefixes of <see cref="BanList.PrefixLengthsMax"/> different lengths.</exception>
    public Ban Ban(string block, DateTimeOffset? until, string reason, bool force = false, string? actor = null)
    {
        ArgumentNullException.ThrowIfNull(reason);
        AddressBlock parsed = Block(block);
        if (!force && IsTooWideToBan(parsed))
            throw new ArgumentException($"\"{block}\" is wider than /{(parsed.IsIPv4 ? BanPrefixMinV4 : BanPrefixMinV6)}; force it if that is meant", nameof(block));
        if (until <= _time.GetUtcNow()) throw new ArgumentException("the end lies in the past", nameof(until));
        var ban = new Ban(parsed, until, reason);
        if (!Guard.TryBan(ban)) throw new InvalidOperationException($"there are {Guard.Bans.Count} bans of at most {Guard.Bans.BansMax}, and prefixes of at most {BanList.PrefixLengthsMax} different lengths");
        Events.Add(ServerEventKind.Banned, AddressBlockText.Format(parsed), $"until {(until is { } end ? $"{end.ToUniversalTime():u}" : "it is ended")}{(reason.Length > 0 ? $"; {reason}" : "")}", actor);
        return ban;
    }

    /// <summary>Whether a ban would have to be forced.</summary>
    internal static bool IsTooWideToBan(AddressBlock block) => block.PrefixLength < (block.IsIPv4 ? 128 - 32 + BanPrefixMinV4 : BanPrefixMinV6);

    /// <summary>Ends the ban of exactly these addresses; false when there is none. Thread-safe.</summary>
    /// <param name="block">As it was banned.</param>
    /// <param name="actor">Who asks for it, for the event; null for the program itself.</param>
    /// <exception cref="ArgumentException">That is no block.</exception>
    public bool Unban(string block, string? actor = null)
    {
        AddressBlock parsed = Block(block);
        if (!Guard.Bans.Remove(parsed)) return false;
        Events.Add(ServerEventKind.BanEnded, AddressBlockText.Format(parsed), "was ended before its time", actor);
        return true;
    }

    /// <summary>
    /// Reads the files of address lists now, rather than within some seconds of their change, and takes over those that can be used. Blocks for the files. Thread-safe.
    /// </summary>
    /// <exception cref="TimeoutException">Another reading has not ended within seconds: a file is not read.</exception>
    /// <returns>How many lists were replaced.</returns>
    public int ReloadAddressLists() => _addressLists.Reload();

    private static AddressBlock Block(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return AddressBlockText.TryParse(text, out AddressBlock block, out string? problem) ? block : throw new ArgumentException($"\"{text}\" {problem}", nameof(text));
    }
}
