using System.Diagnostics.CodeAnalysis;

namespace LoadBalancer.Identity.Following;

/// <summary>Makes of fetched bytes what is used; false with what is wrong with them, as an operator says it of where they are from.</summary>
public delegate bool ReadContents<T>(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out T? contents, out string problem) where T : class;
