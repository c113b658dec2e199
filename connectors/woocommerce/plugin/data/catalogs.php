<?php
/**
 * SAT's c_RegimenFiscal and c_UsoCFDI. Generated from the hub's tables; do not edit.
 *
 * @package Autofactura\Hub
 */

defined( 'ABSPATH' ) || exit;

return array(
	'regimenes' => array(
		'601' => array(
			'nombre' => 'General de Ley Personas Morales',
			'fisica' => false,
			'moral'  => true,
		),
		'603' => array(
			'nombre' => 'Personas Morales con Fines no Lucrativos',
			'fisica' => false,
			'moral'  => true,
		),
		'605' => array(
			'nombre' => 'Sueldos y Salarios e Ingresos Asimilados a Salarios',
			'fisica' => true,
			'moral'  => false,
		),
		'606' => array(
			'nombre' => 'Arrendamiento',
			'fisica' => true,
			'moral'  => false,
		),
		'607' => array(
			'nombre' => 'Régimen de Enajenación o Adquisición de Bienes',
			'fisica' => true,
			'moral'  => false,
		),
		'608' => array(
			'nombre' => 'Demás ingresos',
			'fisica' => true,
			'moral'  => false,
		),
		'610' => array(
			'nombre' => 'Residentes en el Extranjero sin Establecimiento Permanente en México',
			'fisica' => true,
			'moral'  => true,
		),
		'611' => array(
			'nombre' => 'Ingresos por Dividendos (socios y accionistas)',
			'fisica' => true,
			'moral'  => false,
		),
		'612' => array(
			'nombre' => 'Personas Físicas con Actividades Empresariales y Profesionales',
			'fisica' => true,
			'moral'  => false,
		),
		'614' => array(
			'nombre' => 'Ingresos por intereses',
			'fisica' => true,
			'moral'  => false,
		),
		'615' => array(
			'nombre' => 'Régimen de los ingresos por obtención de premios',
			'fisica' => true,
			'moral'  => false,
		),
		'616' => array(
			'nombre' => 'Sin obligaciones fiscales',
			'fisica' => true,
			'moral'  => false,
		),
		'620' => array(
			'nombre' => 'Sociedades Cooperativas de Producción que optan por diferir sus ingresos',
			'fisica' => false,
			'moral'  => true,
		),
		'621' => array(
			'nombre' => 'Incorporación Fiscal',
			'fisica' => true,
			'moral'  => false,
		),
		'622' => array(
			'nombre' => 'Actividades Agrícolas, Ganaderas, Silvícolas y Pesqueras',
			'fisica' => false,
			'moral'  => true,
		),
		'623' => array(
			'nombre' => 'Opcional para Grupos de Sociedades',
			'fisica' => false,
			'moral'  => true,
		),
		'624' => array(
			'nombre' => 'Coordinados',
			'fisica' => false,
			'moral'  => true,
		),
		'625' => array(
			'nombre' => 'Régimen de las Actividades Empresariales con ingresos a través de Plataformas Tecnológicas',
			'fisica' => true,
			'moral'  => false,
		),
		'626' => array(
			'nombre' => 'Régimen Simplificado de Confianza',
			'fisica' => true,
			'moral'  => true,
		),
	),
	'usos'      => array(
		'G01' => array(
			'nombre'    => 'Adquisición de mercancías',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'G02' => array(
			'nombre'    => 'Devoluciones, descuentos o bonificaciones',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '616', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'G03' => array(
			'nombre'    => 'Gastos en general',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'I01' => array(
			'nombre'    => 'Construcciones',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'I02' => array(
			'nombre'    => 'Mobiliario y equipo de oficina por inversiones',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'I03' => array(
			'nombre'    => 'Equipo de transporte',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'I04' => array(
			'nombre'    => 'Equipo de computo y accesorios',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'I05' => array(
			'nombre'    => 'Dados, troqueles, moldes, matrices y herramental',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'I06' => array(
			'nombre'    => 'Comunicaciones telefónicas',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'I07' => array(
			'nombre'    => 'Comunicaciones satelitales',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'I08' => array(
			'nombre'    => 'Otra maquinaria y equipo',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '606', '612', '620', '621', '622', '623', '624', '625', '626' ),
		),
		'D01' => array(
			'nombre'    => 'Honorarios médicos, dentales y gastos hospitalarios',
			'fisica'    => true,
			'moral'     => false,
			'regimenes' => array( '605', '606', '607', '608', '611', '612', '614', '615', '625' ),
		),
		'D02' => array(
			'nombre'    => 'Gastos médicos por incapacidad o discapacidad',
			'fisica'    => true,
			'moral'     => false,
			'regimenes' => array( '605', '606', '607', '608', '611', '612', '614', '615', '625' ),
		),
		'D03' => array(
			'nombre'    => 'Gastos funerales',
			'fisica'    => true,
			'moral'     => false,
			'regimenes' => array( '605', '606', '607', '608', '611', '612', '614', '615', '625' ),
		),
		'D04' => array(
			'nombre'    => 'Donativos',
			'fisica'    => true,
			'moral'     => false,
			'regimenes' => array( '605', '606', '607', '608', '611', '612', '614', '615', '625' ),
		),
		'D05' => array(
			'nombre'    => 'Intereses reales efectivamente pagados por créditos hipotecarios (casa habitación)',
			'fisica'    => true,
			'moral'     => false,
			'regimenes' => array( '605', '606', '607', '608', '611', '612', '614', '615', '625' ),
		),
		'D06' => array(
			'nombre'    => 'Aportaciones voluntarias al SAR',
			'fisica'    => true,
			'moral'     => false,
			'regimenes' => array( '605', '606', '607', '608', '611', '612', '614', '615', '625' ),
		),
		'D07' => array(
			'nombre'    => 'Primas por seguros de gastos médicos',
			'fisica'    => true,
			'moral'     => false,
			'regimenes' => array( '605', '606', '607', '608', '611', '612', '614', '615', '625' ),
		),
		'D08' => array(
			'nombre'    => 'Gastos de transportación escolar obligatoria',
			'fisica'    => true,
			'moral'     => false,
			'regimenes' => array( '605', '606', '607', '608', '611', '612', '614', '615', '625' ),
		),
		'D09' => array(
			'nombre'    => 'Depósitos en cuentas para el ahorro, primas que tengan como base planes de pensiones',
			'fisica'    => true,
			'moral'     => false,
			'regimenes' => array( '605', '606', '607', '608', '611', '612', '614', '615', '625' ),
		),
		'D10' => array(
			'nombre'    => 'Pagos por servicios educativos (colegiaturas)',
			'fisica'    => true,
			'moral'     => false,
			'regimenes' => array( '605', '606', '607', '608', '611', '612', '614', '615', '625' ),
		),
		'S01' => array(
			'nombre'    => 'Sin efectos fiscales',
			'fisica'    => true,
			'moral'     => true,
			'regimenes' => array( '601', '603', '605', '606', '607', '608', '610', '611', '612', '614', '615', '616', '620', '621', '622', '623', '624', '625', '626' ),
		),
	),
);
