<?php
/**
 * Whether an order can be invoiced now.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * The shop's opinion, for showing a link or not. The hub decides again when the link is opened.
 */
enum Invoiceable: string {

	case Yes     = 'yes';
	case Waiting = 'waiting';
	case No      = 'no';

	/**
	 * Paid needs both: a date alone stays on cancelled orders, and cash on delivery is "processing" without one.
	 *
	 * @param string   $status   Status without the prefix `wc-`.
	 * @param bool     $has_date Whether the order has a date of payment.
	 * @param float    $total    What was charged.
	 * @param float    $refunded What was given back, positive.
	 * @param string[] $extra    Statuses of the merchant's own that mean "paid".
	 */
	public static function decide( string $status, bool $has_date, float $total, float $refunded, array $extra = array() ): self {
		// Stored amounts have six decimals at most; below that only floating point is left.
		if ( $total <= 0 || round( $total - $refunded, 6 ) <= 0 ) {
			return self::No;
		}
		if ( in_array( $status, array( 'processing', 'completed', ...$extra ), true ) ) {
			return $has_date ? self::Yes : self::Waiting;
		}
		return in_array( $status, array( 'on-hold', 'pending' ), true ) ? self::Waiting : self::No;
	}

	/**
	 * The same of an order.
	 *
	 * @param \WC_Order $order An order, not a refund.
	 */
	public static function of( \WC_Order $order ): self {
		return self::decide(
			$order->get_status(),
			null !== $order->get_date_paid(),
			(float) $order->get_total(),
			(float) $order->get_total_refunded(),
			Settings::extra_statuses()
		);
	}
}
