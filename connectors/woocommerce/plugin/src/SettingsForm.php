<?php
/**
 * The merchant's choices.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

defined( 'ABSPATH' ) || exit;

/**
 * Second half of the settings page.
 */
final class SettingsForm {

	/** The form. */
	public static function show(): void {
		echo '<h2>' . esc_html__( 'Where buyers find the link', 'autofactura-hub' ) . '</h2>';
		SettingsPage::open_form( 'save' );
		echo '<table class="form-table" role="presentation"><tbody>';
		array_map( array( self::class, 'show_place' ), Settings::PLACES );
		self::show_checkout();
		self::show_statuses();
		echo '</tbody></table>';
		echo '<p>' . esc_html__( 'Templates without these places can use the shortcode [autofactura_link] on the order received and view order pages.', 'autofactura-hub' ) . '</p>';
		submit_button();
		echo '</form>';
	}

	/**
	 * One place: whether, and in which words.
	 *
	 * @param string $place One of Settings::PLACES.
	 */
	private static function show_place( string $place ): void {
		$name = Wording::place( $place );
		/* translators: %s: a place such as "Mails to the customer" */
		$label = sprintf( __( 'Words of the link: %s', 'autofactura-hub' ), $name );
		echo '<tr><th scope="row">' . esc_html( $name ) . '</th><td>';
		echo '<label><input type="checkbox" name="show_' . esc_attr( $place ) . '" value="1"' . checked( Settings::shows( $place ), true, false ) . '> ' . esc_html__( 'Show', 'autofactura-hub' ) . '</label><br>';
		echo '<input type="text" class="regular-text" maxlength="120" name="text_' . esc_attr( $place ) . '" aria-label="' . esc_attr( $label ) . '" value="' . esc_attr( Settings::text( $place ) ) . '" placeholder="' . esc_attr( Wording::link_of_ours( $place ) ) . '"></td></tr>';
	}

	/** Whether the checkout asks. */
	private static function show_checkout(): void {
		echo '<tr><th scope="row">' . esc_html__( 'Checkout', 'autofactura-hub' ) . '</th><td><label><input type="checkbox" name="checkout" value="1"' . checked( Settings::asks_at_checkout(), true, false ) . '> ' . esc_html__( 'Let buyers tick "I want an invoice" and give their tax data', 'autofactura-hub' ) . '</label></td></tr>';
	}

	/** Statuses of the merchant's own. */
	private static function show_statuses(): void {
		$offered = Settings::offered_statuses();
		if ( array() === $offered ) {
			return;
		}
		echo '<tr><th scope="row">' . esc_html__( 'Other statuses that mean "paid"', 'autofactura-hub' ) . '</th><td><fieldset>';
		foreach ( $offered as $status ) {
			echo '<label><input type="checkbox" name="statuses[]" value="' . esc_attr( $status ) . '"' . checked( in_array( $status, Settings::extra_statuses(), true ), true, false ) . '> ' . esc_html( wc_get_order_status_name( $status ) ) . '</label><br>';
		}
		echo '</fieldset><p class="description">' . esc_html__( 'Processing and completed always do, once there is a date of payment. Tell the hub the same (extra_paid_statuses).', 'autofactura-hub' ) . '</p></td></tr>';
	}
}
