using System.Text.Json;
using LoadBalancer.Translation.RoundTrips;
using NUnit.Framework.Constraints;

namespace LoadBalancer.Translation.Tests;

/// <summary>Compares documents; members have no order.</summary>
internal static class JsonIs
{
    internal static Constraint EqualTo(string expected) => new JsonConstraint(expected);

    private sealed class JsonConstraint(string expected) : Constraint
    {
        public override string Description => expected;

        public override ConstraintResult ApplyTo<TActual>(TActual actual)
        {
            string text = actual?.ToString() ?? "";
            bool isSame = false;
            try
            {
                using JsonDocument one = JsonDocument.Parse(expected), two = JsonDocument.Parse(text);
                isSame = JsonComparison.Compare(one.RootElement, two.RootElement).Count == 0;
            }
            catch (JsonException)
            {
            }
            return new ConstraintResult(this, actual, isSame);
        }
    }
}
